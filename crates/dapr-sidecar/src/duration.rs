//! The notations of durations in Dapr's files and requests.

use std::time::Duration;

/// A Go duration (`time.ParseDuration`) that is not negative, such as `1h30m`, `0.5s` or `500ms`. `0` needs no unit.
pub(crate) fn go(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| c != '.' && !c.is_ascii_digit())?);
        let (unit, tail) = tail.split_at(
            tail.find(|c: char| c == '.' || c.is_ascii_digit())
                .unwrap_or(tail.len()),
        );
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

/// The same as Go writes it (`Duration.String`): `500ms`, `1.5s`, `1m30s`, `1h0m0s`. Less than a millisecond is omitted.
pub(crate) fn to_go(duration: Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.subsec_millis());
    if seconds == 0 && millis > 0 {
        return format!("{millis}ms");
    }
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let mut text = match (hours, minutes) {
        (0, 0) => String::new(),
        (0, _) => format!("{minutes}m"),
        _ => format!("{hours}h{minutes}m"),
    };
    text.push_str(&(seconds % 60).to_string());
    if millis > 0 {
        text.push_str(format!(".{millis:03}").trim_end_matches('0'));
    }
    text.push('s');
    text
}

/// An ISO 8601 duration such as `PT1H30M` or `P1DT12H`. Years and months are refused: their length varies.
pub(crate) fn iso(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.strip_prefix('P').and_then(|_| text.parse().ok())?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    let relative = jiff::SpanRelativeTo::days_are_24_hours();
    Duration::try_from(span.to_duration(relative).ok()?).ok()
}

/// A protobuf `Duration` in its JSON form: seconds with `s`, such as `0.5s` (`500ms` is refused, as recorded).
pub(crate) fn protobuf(text: &str) -> Option<Duration> {
    let seconds = text.strip_suffix('s')?;
    let plain = !seconds.is_empty() && seconds.bytes().all(|b| b == b'.' || b.is_ascii_digit());
    plain
        .then(|| Duration::try_from_secs_f64(seconds.parse().ok()?).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_notation_and_refuses_the_others() {
        let millis = |value: Option<Duration>| value.map(|duration| duration.as_millis());
        assert_eq!(millis(go("1h30m")), Some(5_400_000));
        assert_eq!(millis(go("0.5s")), Some(500));
        assert_eq!(millis(go("500ms")), Some(500));
        assert_eq!(millis(go("0s")), Some(0));
        for bad in ["", "1", "-1s", "s", "two parsecs", "1s2"] {
            assert_eq!(go(bad), None, "{bad}");
        }
        for text in ["0s", "500ms", "5s", "1.5s", "1m30s", "1h0m0s", "26h1m0.25s"] {
            assert_eq!(go(text).map(to_go).as_deref(), Some(text));
        }
        assert_eq!(millis(iso("PT1H")), Some(3_600_000));
        assert_eq!(millis(iso("P1DT12H")), Some(129_600_000));
        assert_eq!((iso("P1M"), iso("1h"), iso("-PT1H")), (None, None, None));
        assert_eq!(millis(protobuf("0.5s")), Some(500));
        assert_eq!(
            (protobuf("500ms"), protobuf("s"), protobuf("1m")),
            (None, None, None)
        );
    }
}
