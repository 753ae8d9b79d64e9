//! Validates every response in a test against `docs/openapi.json`.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use http::Method;
use jsonschema::{Draft, Validator};
use nudge_test_kit::http::Answer;
use serde_json::{Map, Value, json};

/// The methods an operation can have (OpenAPI 3.1, "Path Item Object"), as far as the api knows them.
pub(crate) const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The contract, read once per process.
pub(crate) struct Contract {
    pub(crate) document: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// The direction of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// A request, which must match the document.
    Request,
    /// As the document says, and nothing else: clients must take more, but here more is a field that is not documented.
    Answer,
}

pub(crate) fn contract() -> &'static Contract {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    CONTRACT.get_or_init(|| Contract {
        document: serde_json::from_str(include_str!("../../docs/openapi.json")).expect("JSON"),
        validators: Mutex::default(),
    })
}

impl Contract {
    /// Path templates with their operations.
    pub(crate) fn paths(&self) -> &Map<String, Value> {
        self.document["paths"].as_object().expect("paths")
    }

    /// The methods of a path, in upper case, as `Allow` has them.
    pub(crate) fn methods(&self, template: &str) -> BTreeSet<String> {
        let item = &self.paths()[template];
        let mut methods: BTreeSet<String> = METHODS
            .iter()
            .filter(|method| item.get(method).is_some())
            .map(|method| method.to_uppercase())
            .collect();
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        methods
    }

    /// What a `$ref` names, or the value itself.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            None => value,
            Some(reference) => {
                let pointer = reference
                    .strip_prefix('#')
                    .expect("a reference within the document");
                let target = self.document.pointer(pointer);
                self.resolve(target.unwrap_or_else(|| panic!("nothing at {reference}")))
            }
        }
    }

    /// The template that a path belongs to; one without parameters first.
    fn template(&self, path: &str) -> Option<&str> {
        let fits = |template: &str| {
            let (mut wanted, mut given) = (template.split('/'), path.split('/'));
            loop {
                match (wanted.next(), given.next()) {
                    (None, None) => return true,
                    (Some(name), Some(text)) if name.starts_with('{') && !text.is_empty() => {}
                    (Some(name), Some(text)) if name == text => {}
                    _ => return false,
                }
            }
        };
        let templates = self.paths().keys().map(String::as_str);
        templates
            .filter(|template| fits(template))
            .min_by_key(|template| template.matches('{').count())
    }

    /// Fails the test if a response of the api does not match the document. `sent` is the body of the request.
    pub(crate) fn check(&self, method: &Method, target: &str, sent: &[u8], answer: &Answer) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if !path.starts_with("/api/v1/") && !path.starts_with("/health/") {
            return;
        }
        let status = answer.status.as_u16();
        let what = format!("{method} {target} answered {status}");
        // RFC 9111, section 5.2.2.5: no cache keeps what is one user's, nor a refusal. The document itself is public.
        let cached = match path {
            "/api/v1/openapi.json" if [200, 304].contains(&status) => "public, max-age=300",
            _ => "no-store",
        };
        assert_eq!(answer.header("cache-control"), cached, "{what}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
        let Some(template) = self.template(path) else {
            assert_eq!(self.refusal(answer, &what)["code"], "no_such_route", "{what}");
            return;
        };
        // HEAD is GET without the body (RFC 9110, section 9.3.2).
        let named = if *method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let operation = &self.paths()[template][named.as_str().to_lowercase()];
        if operation.is_null() {
            if *method != Method::HEAD {
                let code = &self.refusal(answer, &what)["code"];
                assert_eq!(*code, "method_not_allowed", "{what}");
            }
            let allowed = answer
                .header("allow")
                .split(',')
                .map(|name| name.trim().to_owned());
            assert_eq!(
                allowed.collect::<BTreeSet<_>>(),
                self.methods(template),
                "{what}: Allow"
            );
            return;
        }
        let response = operation["responses"]
            .get(status.to_string())
            .unwrap_or_else(|| panic!("{what}, which docs/openapi.json does not have: {:?}", answer.body));
        let response = self.resolve(response);
        self.check_headers(response, answer, &what);
        if *method == Method::HEAD {
            assert!(answer.body.is_empty(), "{what} has a body: {:?}", answer.body);
        } else {
            self.check_body(response, answer, &what);
        }
        // Of a bulk call each operation is taken or refused by itself.
        let refused =
            template.ends_with("/bulk") && String::from_utf8_lossy(&answer.body).contains("\"problem\":");
        if answer.status.is_success() && !refused {
            self.check_request(operation, query, sent, &what);
        }
    }

    /// A refusal that no operation answers.
    fn refusal(&self, answer: &Answer, what: &str) -> Value {
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{what}"
        );
        let body = answer.json().expect("JSON");
        self.validate(
            &json!({ "$ref": "#/components/schemas/Problem" }),
            Body::Answer,
            &body,
            what,
        );
        body
    }

    fn check_headers(&self, response: &Value, answer: &Answer, what: &str) {
        // What has an entity tag can be asked for on conditions: tests find it in the document.
        let tagged = response["headers"].get("ETag").is_some();
        assert!(
            tagged || !answer.headers.contains_key("etag"),
            "{what} with an ETag that is not documented"
        );
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let header = self.resolve(header);
            let text = answer.header(name);
            if !answer.headers.contains_key(name) {
                assert_ne!(header["required"], true, "{what} without {name}");
                continue;
            }
            let value = match header["schema"]["type"].as_str() {
                Some("integer") => json!(text.parse::<i64>().expect("a whole number")),
                _ => json!(text),
            };
            self.validate(
                &header["schema"],
                Body::Answer,
                &value,
                &format!("{what}: {name}"),
            );
        }
    }

    fn check_body(&self, response: &Value, answer: &Answer, what: &str) {
        let Some(content) = response["content"].as_object() else {
            assert!(answer.body.is_empty(), "{what} has a body: {:?}", answer.body);
            return;
        };
        let kind = answer.header("content-type");
        let media = content
            .get(kind)
            .unwrap_or_else(|| panic!("{what} as `{kind}`, which docs/openapi.json does not have"));
        if kind.ends_with("json") {
            let body = answer.json().expect("JSON");
            self.validate(&media["schema"], Body::Answer, &body, what);
        }
    }

    /// What was taken must be what the document says can be sent.
    fn check_request(&self, operation: &Value, query: &str, sent: &[u8], what: &str) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let known: Vec<&Value> = parameters
            .map(|parameter| &self.resolve(parameter)["name"])
            .collect();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split('=').next().unwrap_or_default();
            assert!(
                known.iter().any(|known| *known == name),
                "{what}: {name} is not documented"
            );
        }
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if !schema.is_null() && !sent.is_empty() {
            let body = serde_json::from_slice(sent).expect("JSON");
            self.validate(schema, Body::Request, &body, &format!("{what}: what was sent"));
        }
    }

    /// Fails the test if a value does not match a schema of the document.
    pub(crate) fn validate(&self, schema: &Value, way: Body, value: &Value, what: &str) {
        let validator = self.validator(schema, way);
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(
            errors.is_empty(),
            "{what}, not as docs/openapi.json says:\n{}\n{value}",
            errors.join("\n")
        );
    }

    fn validator(&self, schema: &Value, way: Body) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = validators.entry(format!("{way:?} {schema}"));
        let build = || {
            let mut root = json!({
                "$ref": "#/it",
                "it": schema,
                "components": { "schemas": self.document["components"]["schemas"] },
            });
            if way == Body::Answer {
                close(&mut root);
            }
            let options = jsonschema::options()
                .with_draft(Draft::Draft202012)
                .should_validate_formats(true)
                .should_ignore_unknown_formats(true);
            Arc::new(options.build(&root).expect("a schema"))
        };
        entry.or_insert_with(build).clone()
    }
}

/// Has objects hold nothing but their properties.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(close);
            if object.get("properties").is_some_and(Value::is_object) {
                object.entry("additionalProperties").or_insert(json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
