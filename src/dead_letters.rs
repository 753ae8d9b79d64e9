//! `nudge dead-letters`: events that no consumer could handle.

use anyhow::{Context, Result, ensure};
use http::Method;
use nudge_contract::api::{DeadLetter, DeadLetterIds, DeadLetters, DeadLettersDone};
use nudge_contract::names::route;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::cli::{self, Which, WithDeadLetters};
use crate::sidecar::Sidecar;

/// Maximum number of events per request: the resiliency policy allows two seconds for each request.
const AT_ONCE: usize = 10;

/// Maximum length of the shown part of an event, in characters.
const SHOWN: usize = 240;

pub(crate) fn run(options: &cli::Global, letters: &cli::DeadLetters) -> Result<()> {
    let sidecar = Sidecar::find(&letters.sidecar, &options.data_dir)?;
    let runtime = tokio::runtime::Runtime::new().context("the async runtime cannot start")?;
    runtime.block_on(async {
        match &letters.what {
            None => show(&list(&sidecar, None).await?),
            Some(WithDeadLetters::Replay(which)) => {
                each(&sidecar, which, route::DEAD_LETTERS_REPLAY, "published again").await?;
            }
            Some(WithDeadLetters::Discard(which)) => {
                each(&sidecar, which, route::DEAD_LETTERS_DISCARD, "deleted").await?;
            }
        }
        Ok(())
    })
}

async fn list(sidecar: &Sidecar, after: Option<&str>) -> Result<DeadLetters> {
    let route = match after {
        Some(id) => format!("{}?after={}", route::DEAD_LETTERS, in_query(id)),
        None => route::DEAD_LETTERS.to_owned(),
    };
    sidecar.ask(Method::GET, &route, None::<&()>).await
}

/// Percent-encodes an id, which may contain plus signs (RFC 3986, section 2.1).
fn in_query(id: &str) -> PercentEncode<'_> {
    const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b':');
    utf8_percent_encode(id, QUERY_VALUE)
}

fn show(letters: &DeadLetters) {
    for letter in &letters.items {
        let DeadLetter {
            id,
            topic,
            consumer,
            reason,
            arrived_at,
            event,
        } = letter;
        println!("{id}");
        println!("  arrived   {arrived_at}");
        println!("  topic     {}", topic.as_deref().unwrap_or("unknown"));
        println!(
            "  consumer  {}",
            consumer
                .as_deref()
                .unwrap_or("unknown: the sidecar dead-lettered it")
        );
        println!("  reason    {reason}");
        let shown: String = event.chars().take(SHOWN).collect();
        let more = if shown.len() < event.len() { "…" } else { "" };
        println!("  event     {shown}{more}");
    }
    match letters.count {
        0 => println!("There are no dead letters: every event was handled."),
        count if count as usize > letters.items.len() => {
            println!("{count} dead letters, of which the first are shown: replay or discard them");
        }
        count => println!("{count} dead letters: replay or discard them"),
    }
}

/// Applies an action to the named events, or to all that exist when it starts.
async fn each(sidecar: &Sidecar, which: &Which, route: &str, done: &str) -> Result<()> {
    let ids = if which.all {
        all(sidecar).await?
    } else {
        which.ids.clone()
    };
    let (mut count, mut refused) = (0, 0);
    for ids in ids.chunks(AT_ONCE) {
        let ids = ids.to_vec();
        let answer: DeadLettersDone = sidecar
            .ask(Method::POST, route, Some(&DeadLetterIds { ids }))
            .await?;
        for id in &answer.done {
            println!("{id}: {done}");
        }
        for letter in &answer.refused {
            println!("{}: kept: {}", letter.id, letter.reason);
        }
        count += answer.done.len();
        refused += answer.refused.len();
    }
    println!("{count} {done}, {refused} kept");
    ensure!(refused == 0, "{refused} were kept: the reasons are above");
    Ok(())
}

/// The ids of all events. An event that is dead-lettered again in the meantime is not included.
async fn all(sidecar: &Sidecar) -> Result<Vec<String>> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let page = list(sidecar, ids.last().map(String::as_str)).await?;
        if page.items.is_empty() {
            return Ok(ids);
        }
        ids.extend(page.items.into_iter().map(|letter| letter.id));
    }
}
