//! The engine against python-dateutil, on a corpus that tests/corpus/make.py wrote. That script says where the two differ on
//! purpose, and which rules it therefore writes in other words, leaves out or never draws.

use std::collections::BTreeMap;
use std::path::Path;

use nudge_domain::{Rule, RuleError};
use serde_json::Value;

use crate::given::due;

/// What the first line says.
struct Head {
    rules: usize,
    most: usize,
    until_year: i16,
    left_out: u64,
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn head(line: &str) -> Head {
    let head: Value = serde_json::from_str(line).expect("JSON");
    let count = |name: &str| usize::try_from(number(&head[name])).expect("a small number");
    let left_out = head["left_out"].as_object().expect("what was left out");
    Head {
        rules: count("rules"),
        most: count("most"),
        until_year: i16::try_from(count("until_year")).expect("a year"),
        left_out: left_out.values().map(number).sum(),
    }
}

/// FNV-1a of little-endian seconds, as the script computes it.
fn fnv(seconds: &[i64]) -> String {
    let bytes = seconds.iter().flat_map(|second| second.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// The frequencies, each with every part that the script draws for it, and the parts that any rule may have.
const KINDS: [&str; 27] = [
    "DAILY",
    "DAILY BYMONTH",
    "DAILY BYMONTHDAY",
    "DAILY BYDAY",
    "DAILY BYSETPOS",
    "WEEKLY",
    "WEEKLY BYMONTH",
    "WEEKLY BYDAY",
    "WEEKLY BYSETPOS",
    "MONTHLY",
    "MONTHLY BYMONTH",
    "MONTHLY BYMONTHDAY",
    "MONTHLY BYDAY",
    "MONTHLY BYDAY with numbers",
    "MONTHLY BYSETPOS",
    "YEARLY",
    "YEARLY BYMONTH",
    "YEARLY BYMONTHDAY",
    "YEARLY BYYEARDAY",
    "YEARLY BYWEEKNO",
    "YEARLY BYDAY",
    "YEARLY BYDAY with numbers",
    "YEARLY BYSETPOS",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
];

/// How many rules of each kind the corpus has at least.
const OF_EACH_KIND: usize = 20;

/// The kinds that a rule is of.
fn kinds(rule: &str) -> Vec<String> {
    let mut parts = rule.split(';').filter_map(|part| part.split_once('='));
    let (_, frequency) = parts.next().expect("FREQ");
    let mut kinds = vec![frequency.to_owned()];
    for (name, value) in parts {
        kinds.push(match name {
            "INTERVAL" if value == "1" => continue,
            "INTERVAL" | "COUNT" | "UNTIL" | "WKST" => name.to_owned(),
            "BYDAY" if value.contains(|c: char| c.is_ascii_digit()) => {
                format!("{frequency} BYDAY with numbers")
            }
            _ => format!("{frequency} {name}"),
        });
    }
    kinds
}

/// What is wrong with the engine, or the corpus, on one line.
fn difference(line: &Value, head: &Head) -> Option<String> {
    let n = usize::try_from(number(&line["n"])).expect("a small number");
    let rule = match text(&line["rule"]).parse::<Rule>() {
        Ok(rule) => rule,
        Err(RuleError::NeverMatches) if n == 0 => return None,
        Err(error) => return Some(error.to_string()),
    };
    let start = due(text(&line["start"]), text(&line["zone"]));
    let zone = start.zone().time_zone();
    let mut search = rule.occurrences(&start);
    let found: Vec<i64> = search
        .by_ref()
        .take(head.most)
        .take_while(|at| zone.to_datetime(*at).year() <= head.until_year)
        .map(|at| at.as_second())
        .collect();
    let same = found.len() == n
        && line["first"] == serde_json::json!(found.get(..3).unwrap_or(&found))
        && line["last"].as_i64() == found.last().copied()
        && line["fnv"] == fnv(&found);
    (!same).then(|| {
        format!(
            "found {} occurrences: {:?}",
            found.len(),
            found.get(..3).unwrap_or(&found)
        )
    })
}

#[test]
fn agrees_with_python_dateutil_on_every_rule_of_the_corpus() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/rrule.jsonl");
    let corpus = std::fs::read_to_string(path).expect("the corpus");
    let mut lines = corpus.lines();
    let head = head(lines.next().expect("a first line"));
    let mut checked = 0;
    let mut of_kind: BTreeMap<String, usize> = BTreeMap::new();
    let mut differences = Vec::new();
    for line in lines {
        checked += 1;
        let value: Value = serde_json::from_str(line).expect("JSON");
        for kind in kinds(text(&value["rule"])) {
            *of_kind.entry(kind).or_default() += 1;
        }
        if let Some(difference) = difference(&value, &head) {
            differences.push(format!("{line}\n  {difference}"));
        }
    }
    let shown = differences
        .iter()
        .take(10)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        differences.is_empty(),
        "{} of {checked} differ:\n{shown}",
        differences.len()
    );
    assert_eq!(checked, head.rules, "no line is missing");
    for kind in KINDS {
        let rules = of_kind.get(kind).copied().unwrap_or_default();
        assert!(rules >= OF_EACH_KIND, "{rules} rules are {kind}: {of_kind:#?}");
    }
    assert!(
        head.left_out * 50 <= checked as u64,
        "at most one in fifty was left out: {}",
        head.left_out
    );
}
