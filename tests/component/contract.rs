//! `docs/openapi.json` is valid, is what the api serves, and has the api's routes and no others. That answers are as it says
//! is checked whenever a test calls the api: see [`support::send`](crate::support::send).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use http::Method;
use serde_json::Value;

use crate::openapi::{Body, METHODS, contract};
use crate::support::{Service, json, send};

/// Every operation of the document, with its path and method.
fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    contract().paths().iter().flat_map(|(path, item)| {
        METHODS
            .iter()
            .filter_map(move |method| Some((path.as_str(), *method, item.get(method)?)))
    })
}

/// Every value at any depth, with its path.
fn walk<'a>(value: &'a Value, place: String, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(&place, value);
    match value {
        Value::Object(object) => object
            .iter()
            .for_each(|(name, value)| walk(value, format!("{place}/{name}"), visit)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| walk(value, format!("{place}/{index}"), visit)),
        _ => {}
    }
}

#[test]
fn every_reference_has_a_target_and_every_definition_is_used() {
    let contract = contract();
    let mut used = BTreeSet::new();
    walk(&contract.document, String::new(), &mut |_, value| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            contract.resolve(value);
            used.insert(reference.to_owned());
        }
    });
    for kind in ["parameters", "headers", "responses", "schemas"] {
        for name in contract.document["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(used.contains(&reference), "{reference} is not used");
        }
    }
}

#[test]
fn every_schema_is_valid_and_its_examples_are_what_it_says() {
    let contract = contract();
    let mut count = 0;
    walk(&contract.document, String::new(), &mut |place, value| {
        if place.ends_with("/schema") {
            jsonschema::draft202012::meta::validate(value).unwrap_or_else(|error| panic!("{place}: {error}"));
            count += 1;
        }
        let (Some(schema), Some(example)) = (value.get("schema"), value.get("example")) else {
            return;
        };
        let way = match place.contains("/requestBody/") {
            true => Body::Request,
            false => Body::Answer,
        };
        contract.validate(schema, way, example, place);
    });
    for (name, schema) in contract.document["components"]["schemas"].as_object().unwrap() {
        jsonschema::draft202012::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        for example in schema["examples"].as_array().into_iter().flatten() {
            contract.validate(schema, Body::Answer, example, name);
        }
        count += 1;
    }
    assert!(count > 50, "only {count} schemas were found");
}

#[test]
fn every_operation_has_a_name_of_its_own_its_path_parameters_and_links_to_operations() {
    let contract = contract();
    let tags: Vec<&Value> = contract.document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    let mut parameters: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, method, operation) in operations() {
        let what = format!("{method} {path}");
        let name = operation["operationId"].as_str().expect("an operationId");
        let listed = operation["parameters"].as_array().into_iter().flatten();
        let listed: Vec<&Value> = listed.map(|parameter| contract.resolve(parameter)).collect();
        let in_path = |parameter: &&&Value| parameter["in"] == "path";
        let names = |parameter: &&'static Value| parameter["name"].as_str().unwrap();
        let given: BTreeSet<&str> = listed.iter().filter(in_path).map(names).collect();
        let wanted: BTreeSet<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        assert_eq!(given, wanted, "{what}");
        assert!(operation["summary"].is_string(), "{what}");
        for tag in operation["tags"].as_array().expect("tags") {
            assert!(tags.contains(&tag), "{what}: {tag}");
        }
        let before = parameters.insert(name, listed.iter().map(names).collect());
        assert!(before.is_none(), "{name} is there twice");
    }
    walk(&contract.document, String::new(), &mut |place, value| {
        for link in value
            .get("links")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|links| links.values())
        {
            let target = link["operationId"].as_str().expect("an operationId");
            for name in link["parameters"].as_object().unwrap().keys() {
                let known = parameters
                    .get(target)
                    .is_some_and(|all| all.contains(name.as_str()));
                assert!(known, "{place}: {target} has no {name}");
            }
        }
    });
}

#[test]
fn the_document_has_the_version_of_the_program() {
    assert_eq!(contract().document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(contract().document["openapi"], "3.1.0");
}

#[tokio::test]
async fn every_operation_of_the_document_is_routed_and_no_other_method_is() {
    let api = Service::start("api").await;
    for path in contract().paths().keys() {
        let target: Vec<&str> = path
            .split('/')
            .map(|part| match part.starts_with('{') {
                true => "018f0000-0000-7000-8000-000000000001",
                false => part,
            })
            .collect();
        for method in METHODS {
            // What is not documented must be a 405 with the documented methods; `send` looks.
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let documented = contract().methods(path).contains(method.as_str());
            // Of a user of its own: one operation revokes the caller's tokens.
            let caller = api.user(path);
            let answer = send(caller.call(method.clone(), &target.join("/"))).await;
            assert_eq!(answer.status != 405, documented, "{method} {path}");
        }
    }
}

#[test]
fn every_path_in_the_router_is_in_the_document() {
    // The same for parameters of any name, and for the places that `Location` names.
    let shape = |path: &str| -> String {
        path.split('/')
            .map(|part| if part.starts_with('{') { "{}" } else { part })
            .collect::<Vec<_>>()
            .join("/")
    };
    let documented: BTreeSet<String> = contract().paths().keys().map(|path| shape(path)).collect();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("components/api/src");
    let routes = std::fs::read_dir(source.join("http")).expect("routes");
    let mut files: Vec<_> = routes.map(|entry| entry.expect("a file").path()).collect();
    files.extend([source.join("http.rs")]);
    let mut count = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source file");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for literal in code.flat_map(|line| line.split('"').skip(1).step_by(2)) {
            if literal.starts_with("/api/v1") {
                assert!(
                    documented.contains(&shape(literal)),
                    "{}: {literal}",
                    file.display()
                );
                count += 1;
            }
        }
    }
    assert!(count > 10, "only {count} paths were found");
}

#[tokio::test]
async fn the_document_is_served_to_anybody_and_once() {
    let api = Service::start("api").await;
    let path = "/api/v1/openapi.json";
    let answer = api.anybody().get(path).await;
    assert_eq!(json(&answer, 200), contract().document);
    assert_eq!(answer.header("cache-control"), "public, max-age=300");

    let tag = answer.header("etag").to_owned();
    let known = api
        .anybody()
        .call(Method::GET, path)
        .header("if-none-match", tag.clone());
    let answer = send(known).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("etag")),
        (304, tag.as_str())
    );
    let other = api
        .anybody()
        .call(Method::GET, path)
        .header("if-none-match", "\"7\"");
    assert_eq!(send(other).await.status, 200);
}
