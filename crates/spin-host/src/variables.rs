//! The application's variables, the templates that use them, and what each component sees of them.

use std::collections::{BTreeMap, HashMap};

use crate::manifest::tables::Variable;

/// Why variables cannot be resolved. No message shows a value.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VariableError {
    /// A required variable has no value.
    #[error(
        "variable {name:?} is required: set it with --variable {name}=… or {}",
        environment_name(name)
    )]
    Missing {
        /// The variable.
        name: String,
    },
    /// A value was given for a variable that the manifest does not define.
    #[error("variable {name:?} is not defined in the manifest")]
    NotDefined {
        /// The variable.
        name: String,
    },
    /// A template has a `{{` without its `}}`.
    #[error("template {template:?} has an opening brace without its closing one")]
    Unclosed {
        /// The template as written in the manifest.
        template: String,
    },
    /// A template uses a variable that the manifest does not define.
    #[error("template {template:?} uses variable {name:?}, which is not defined")]
    Unknown {
        /// The template as written in the manifest.
        template: String,
        /// The variable.
        name: String,
    },
}

/// The values of the application's variables.
#[derive(Clone, Default)]
pub(crate) struct Values(BTreeMap<String, String>);

impl Values {
    /// Takes each variable's value from `given`, else from `environment`, else from the manifest's default.
    pub(crate) fn resolve(
        variables: &BTreeMap<String, Variable>,
        given: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, VariableError> {
        if let Some(name) = given.keys().find(|name| !variables.contains_key(*name)) {
            return Err(VariableError::NotDefined { name: name.clone() });
        }
        let mut values = BTreeMap::new();
        for (name, variable) in variables {
            let value = given
                .get(name)
                .cloned()
                .or_else(|| environment(&environment_name(name)))
                .or_else(|| variable.default.clone())
                .ok_or_else(|| VariableError::Missing { name: name.clone() })?;
            values.insert(name.clone(), value);
        }
        Ok(Self(values))
    }

    /// Replaces each `{{ name }}` by its value.
    pub(crate) fn expand(&self, template: &str) -> Result<String, VariableError> {
        let mut text = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((literal, tail)) = rest.split_once("{{") {
            let (name, tail) = tail.split_once("}}").ok_or_else(|| VariableError::Unclosed {
                template: template.to_owned(),
            })?;
            let name = name.trim();
            let value = self.0.get(name).ok_or_else(|| VariableError::Unknown {
                template: template.to_owned(),
                name: name.to_owned(),
            })?;
            text.push_str(literal);
            text.push_str(value);
            rest = tail;
        }
        text.push_str(rest);
        Ok(text)
    }

    /// Replaces the variables in every template of a component's `variables` table.
    pub(crate) fn expand_all(
        &self,
        templates: &BTreeMap<String, String>,
    ) -> Result<HashMap<String, String>, VariableError> {
        templates
            .iter()
            .map(|(name, template)| Ok((name.clone(), self.expand(template)?)))
            .collect()
    }
}

/// The environment variable that sets `name`.
pub(crate) fn environment_name(name: &str) -> String {
    format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())
}

/// Sets a variable, unless `given` or the environment has a value for it that is not empty.
pub(crate) fn set_unless_given(
    given: &mut BTreeMap<String, String>,
    environment: Option<String>,
    name: String,
    value: String,
) {
    let known = given.get(&name).or(environment.as_ref());
    if known.is_none_or(String::is_empty) {
        given.insert(name, value);
    }
}

/// Checks Spin's rule for variable names: lower-case words of letters and digits, joined by single underscores, the first one
/// starting with a letter.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split('_').all(word) {
        Ok(())
    } else {
        Err(format!(
            "variable name {name:?} is not made of lower-case letters, digits and single underscores"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(table: &str) -> BTreeMap<String, Variable> {
        toml::from_str(table).expect("a table that the test means to be valid")
    }

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_given_value_overrides_the_environment_which_overrides_the_default() {
        let variables =
            variables("a = { default = \"1\" }\nb = { default = \"1\" }\nc = { default = \"1\" }");
        let environment =
            |name: &str| matches!(name, "SPIN_VARIABLE_A" | "SPIN_VARIABLE_B").then(|| "2".to_owned());
        let values =
            Values::resolve(&variables, &given(&[("a", "3")]), environment).expect("all have values");
        assert_eq!(values.expand("{{a}} {{ b }} {{ c }}").as_deref(), Ok("3 2 1"));
    }

    #[test]
    fn a_value_is_set_unless_another_one_was_given() {
        for (before, environment, expected) in [
            (None, None, "own"),
            (Some(""), None, "own"),
            (None, Some(""), "own"),
            (Some("given"), None, "given"),
            (Some("given"), Some("environment"), "given"),
            (None, Some("environment"), "environment"),
        ] {
            let mut values: BTreeMap<_, _> = before
                .map(|value| ("url".into(), value.into()))
                .into_iter()
                .collect();
            set_unless_given(
                &mut values,
                environment.map(Into::into),
                "url".into(),
                "own".into(),
            );
            let table = variables("url = { default = \"\" }");
            let values =
                Values::resolve(&table, &values, |_| environment.map(Into::into)).expect("it has a value");
            assert_eq!(
                values.expand("{{ url }}").as_deref(),
                Ok(expected),
                "{before:?} {environment:?}"
            );
        }
    }

    #[test]
    fn a_required_variable_without_a_value_is_named() {
        let error = Values::resolve(&variables("key = { required = true }"), &BTreeMap::new(), |_| {
            None
        })
        .err();
        assert_eq!(
            error.map(|error| error.to_string()).as_deref(),
            Some("variable \"key\" is required: set it with --variable key=… or SPIN_VARIABLE_KEY")
        );
    }

    #[test]
    fn a_value_for_an_undefined_variable_is_refused() {
        let error = Values::resolve(&variables(""), &given(&[("typo", "x")]), |_| None).err();
        assert_eq!(error, Some(VariableError::NotDefined { name: "typo".into() }));
    }

    #[test]
    fn a_template_with_an_unknown_variable_or_an_open_brace_is_refused() {
        let values = Values::default();
        assert_eq!(
            values.expand("http://{{ host }}"),
            Err(VariableError::Unknown {
                template: "http://{{ host }}".into(),
                name: "host".into()
            })
        );
        assert_eq!(
            values.expand("{{ host"),
            Err(VariableError::Unclosed {
                template: "{{ host".into()
            })
        );
    }

    #[test]
    fn a_value_is_not_expanded_again() {
        let variables = variables("a = { default = \"{{ b }}\" }\nb = { default = \"2\" }");
        let values = Values::resolve(&variables, &BTreeMap::new(), |_| None).expect("all have values");
        assert_eq!(values.expand("{{ a }}").as_deref(), Ok("{{ b }}"));
    }

    #[test]
    fn names_are_lower_case_words_with_single_underscores() {
        for good in ["a", "sidecar_url", "a1_2"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "A", "1a", "a__b", "a_", "_a", "a-b"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
