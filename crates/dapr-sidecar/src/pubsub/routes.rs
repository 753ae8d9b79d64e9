//! Routing rules: the part of CEL that compares an attribute with a string.

use serde_json::{Map, Value};

/// The paths to which a subscription delivers its events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes {
    rules: Vec<Rule>,
    default: Option<String>,
}

#[derive(Clone, Debug)]
struct Rule {
    expression: String,
    /// Any of these `(attribute, text)` pairs.
    any: Vec<(String, String)>,
    path: String,
}

impl Routes {
    pub(crate) fn new(default: Option<String>) -> Self {
        Self {
            rules: Vec::new(),
            default,
        }
    }

    /// Adds a rule. `expression` is `event.<attribute> == "<text>"`, or several of these joined by `||`;
    /// everything else is refused.
    pub(crate) fn rule(&mut self, expression: &str, path: String) -> Result<(), String> {
        let any = parse(expression).ok_or_else(|| {
            format!("match {expression:?} is not supported here; rules have the form event.<attribute> == \"<text>\", joined by ||")
        })?;
        self.rules.push(Rule {
            expression: expression.to_owned(),
            any,
            path,
        });
        Ok(())
    }

    /// The path for an event: the first rule that matches, else the default.
    pub(crate) fn path(&self, event: &Map<String, Value>) -> Option<&str> {
        let matches = |rule: &&Rule| {
            rule.any
                .iter()
                .any(|(attribute, text)| event.get(attribute).and_then(Value::as_str) == Some(text))
        };
        self.rules
            .iter()
            .find(matches)
            .map(|rule| rule.path.as_str())
            .or(self.default.as_deref())
    }

    /// Every rule as expression and path, the default last with no expression.
    pub(crate) fn list(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        let rules = self
            .rules
            .iter()
            .map(|rule| (Some(rule.expression.as_str()), rule.path.as_str()));
        rules.chain(self.default.as_deref().map(|path| (None, path)))
    }
}

fn parse(expression: &str) -> Option<Vec<(String, String)>> {
    let mut any = Vec::new();
    let mut rest = expression.trim();
    loop {
        rest = rest.strip_prefix("event.")?;
        let (attribute, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphanumeric())?);
        let tail = tail.trim_start().strip_prefix("==")?.trim_start();
        let quote = tail.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (text, tail) = tail.get(1..)?.split_once(quote)?;
        if attribute.is_empty() || text.contains('\\') {
            return None;
        }
        any.push((attribute.to_owned(), text.to_owned()));
        rest = tail.trim_start();
        if rest.is_empty() {
            return Some(any);
        }
        rest = rest.strip_prefix("||")?.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path<'r>(routes: &'r Routes, event: &Value) -> Option<&'r str> {
        routes.path(event.as_object().expect("an object"))
    }

    #[test]
    fn the_first_rule_that_matches_applies_and_otherwise_the_default() {
        let mut routes = Routes::new(Some("/other".to_owned()));
        routes
            .rule(r#"event.type == "a" || event.type == 'b'"#, "/ab".to_owned())
            .expect("a rule");
        routes
            .rule(r#"event.source=="shop""#, "/shop".to_owned())
            .expect("a rule");
        assert_eq!(
            path(&routes, &json!({"type": "b", "source": "shop"})),
            Some("/ab")
        );
        assert_eq!(
            path(&routes, &json!({"type": "c", "source": "shop"})),
            Some("/shop")
        );
        assert_eq!(path(&routes, &json!({"type": 1})), Some("/other"));
        assert_eq!(path(&Routes::default(), &json!({})), None);
    }

    #[test]
    fn refuses_the_rest_of_cel() {
        let all = [
            "",
            "event.type",
            "event.type != \"a\"",
            "event.type == \"a\" && true",
            "event.data.x == \"a\"",
            "event.type == \"a\" ||",
            "event.type == \"a",
            "has(event.x)",
            "event.type == \"a\\\"\"",
        ];
        for expression in all {
            assert!(
                Routes::default().rule(expression, String::new()).is_err(),
                "{expression}"
            );
        }
    }
}
