//! Server-sent events: the field rules of the HTML standard, whatever the chunks.

use nudge_page_model::feed::Backoff;
use nudge_page_model::sse::{Event, Parser};
use proptest::prelude::*;

fn parse(text: &[u8]) -> Vec<Event> {
    Parser::default().feed(text)
}

fn event(kind: &str, data: &str, id: &str) -> Event {
    Event {
        kind: kind.to_owned(),
        data: data.to_owned(),
        id: id.to_owned(),
    }
}

#[test]
fn a_line_ends_with_a_line_feed_a_carriage_return_or_both() {
    for end in ["\n", "\r", "\r\n"] {
        let text = ["id: 7", "event: updated", "data: {}", "", "data: x", "", ""].join(end);
        assert_eq!(
            parse(text.as_bytes()),
            [event("updated", "{}", "7"), event("message", "x", "7")],
            "{end:?}"
        );
    }
}

#[test]
fn data_of_several_lines_is_joined() {
    assert_eq!(
        parse(b"data\ndata: a\ndata:\ndata:  b\n\n"),
        [event("message", "\na\n\n b", "")]
    );
}

#[test]
fn one_space_after_the_colon_is_not_part_of_the_value() {
    assert_eq!(parse(b"data:x\n\ndata: x\n\ndata:\tx\n\n")[2].data, "\tx");
    assert_eq!(parse(b"data:x\n\n"), parse(b"data: x\n\n"));
}

#[test]
fn a_byte_order_mark_is_ignored_at_the_start_only() {
    assert_eq!(parse(b"\xEF\xBB\xBFdata: x\n\n"), [event("message", "x", "")]);
    assert_eq!(
        parse(b"data: x\n\xEF\xBB\xBFdata: y\n\n"),
        [event("message", "x", "")]
    );
}

#[test]
fn comments_unknown_fields_and_events_without_data_are_ignored() {
    assert_eq!(
        parse(b": still here\n\nfoo: bar\n\nevent: updated\n\ndata: x\n\n"),
        [event("message", "x", "")]
    );
}

#[test]
fn an_event_that_is_cut_off_is_dropped_and_does_not_move_the_cursor() {
    let mut parser = Parser::default();
    assert_eq!(parser.feed(b"id: 1\ndata: x\n\nid: 2\ndata: y\n").len(), 1);
    assert_eq!(parser.last_id(), "1");
}

#[test]
fn an_id_with_a_null_is_ignored_and_an_empty_one_resets() {
    let mut parser = Parser::default();
    parser.feed(b"id: 1\ndata: x\n\nid: a\0b\ndata: x\n\n");
    assert_eq!(parser.last_id(), "1");
    parser.feed(b"id\ndata: x\n\n");
    assert_eq!(parser.last_id(), "");
}

#[test]
fn retry_counts_if_it_is_digits() {
    let mut parser = Parser::default();
    parser.feed(b"retry: 1000\n\nretry: -5\nretry:\nretry: 1e3\n");
    assert_eq!(parser.retry(), Some(1000));
}

#[test]
fn pauses_grow_to_half_a_minute_and_begin_again() {
    let mut backoff = Backoff::default();
    let pauses: Vec<u32> = (0..7).map(|_| backoff.next(0)).collect();
    assert_eq!(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    backoff.reset();
    assert_eq!(backoff.next(255), 750);
}

proptest! {
    #[test]
    fn chunks_may_be_cut_anywhere(lines in prop::collection::vec("(data|id|event|retry|x|)(:? ?[aé✓\u{feff}:]{0,3})(\n|\r|\r\n)", 0..20), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10)) {
        let bytes = lines.concat().into_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut parser = Parser::default();
        let events: Vec<Event> = cuts.windows(2).flat_map(|cut| parser.feed(&bytes[cut[0]..cut[1]])).collect();
        prop_assert_eq!(events, parse(&bytes));
    }
}
