//! Reads JSON without silently dropping anything.
//!
//! A byte order mark before the text is ignored, as RFC 8259, section 8.1 allows. An object with a duplicate name is refused:
//! the standard does not define which of the values counts (section 4), so one value that the caller sent would be ignored.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

/// The byte order mark that some programs send: U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Maximum number of characters of a name in a message.
const NAME_CHARS: usize = 60;

/// Reads one JSON text.
///
/// # Errors
///
/// What is wrong with it and where, for the caller: it is not JSON, it is nested more than 128 deep, or an object has a
/// duplicate name.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, String> {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let read = Once.deserialize(&mut reader).and_then(|value| {
        reader.end()?;
        Ok(value)
    });
    read.map_err(|error| match error.classify() {
        Category::Data => error.to_string(),
        Category::Syntax | Category::Eof | Category::Io => format!("the body is not JSON: {error}"),
    })
}

/// Any JSON value without duplicate names.
struct Once;

impl<'de> DeserializeSeed<'de> for Once {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        // JSON has no infinite numbers and no NaN.
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Once)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                let name: String = name.chars().take(NAME_CHARS).collect();
                return Err(A::Error::custom(format!(
                    "an object has `{name}` twice: give it once"
                )));
            }
            let value = members.next_value_seed(Once)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_serde_json_reads() {
        for text in [
            r#"{"a":[1,-2,3.5,1e3,-0,true,false,null,"x\u00e9\n",{"a":{"a":1}}],"":""}"#,
            " [ ] ",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "1e300",
            r#""\ud83d\ude43""#,
        ] {
            let plain: Value = serde_json::from_str(text).unwrap();
            assert_eq!(read(text.as_bytes()).unwrap(), plain, "{text}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_passed_over_once_and_at_the_beginning() {
        assert_eq!(read(b"\xEF\xBB\xBF{}").unwrap(), json!({}));
        for text in [
            &b"\xEF\xBB\xBF\xEF\xBB\xBF{}"[..],
            b"{}\xEF\xBB\xBF",
            b"\xFF\xFE{\0}\0",
            b"\xEF\xBB{}",
        ] {
            let refusal = read(text).unwrap_err();
            assert!(refusal.starts_with("the body is not JSON"), "{refusal}");
        }
    }

    #[test]
    fn a_name_is_there_once_however_it_is_written_and_however_deep() {
        for text in [
            r#"{"title":"a","title":"a"}"#,
            r#"{"title":"a","t\u0069tle":"b"}"#,
            r#"[{"x":{"title":1,"y":[],"title":null}}]"#,
        ] {
            let refusal = read(text.as_bytes()).unwrap_err();
            assert!(
                refusal.starts_with("an object has `title` twice: give it once"),
                "{refusal}"
            );
        }
        assert!(read(br#"{"title":"a","Title":"b"}"#).is_ok());
    }

    #[test]
    fn what_is_no_json_or_too_deep_is_refused() {
        for text in [
            "",
            "{",
            "{}x",
            "{,}",
            "[1,]",
            "NaN",
            "\"\u{1}\"",
            r#""\ud83d""#,
            r#""\ude43 x""#,
        ] {
            let refusal = read(text.as_bytes()).unwrap_err();
            assert!(refusal.starts_with("the body is not JSON"), "{text}: {refusal}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(read(deep.as_bytes()).unwrap_err().contains("recursion limit"));
    }
}
