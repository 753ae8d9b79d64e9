//! The addresses that Dapr's smtp binding accepts, and its errors for the others.
//!
//! The binding reads each as one mailbox of RFC 5322, section 3.4: an address, or a name and an address in angle brackets. What is
//! accepted and refused here was recorded from components-contrib 1.16.0 and 1.18.4, which has no limit of length and does not check
//! labels. Groups, and comments except for one at the end, are refused here but not there.

use lettre::address::Address;

/// The address in a mailbox, or the binding's error. `text` is the value of the header, so already encoded.
pub(crate) fn parse(text: &str) -> Result<Address, String> {
    let rest = text.trim_matches([' ', '\t']);
    if rest.is_empty() {
        return Err("mail: no address".to_owned());
    }
    if let Some((address, after)) = specification(rest) {
        let after = after.trim_start_matches([' ', '\t']);
        let comment = after.starts_with('(') && after.ends_with(')');
        return if after.is_empty() || comment {
            Ok(address)
        } else {
            Err(format!("mail: expected single address, got {after:?}"))
        };
    }
    let (name, after) = phrase(rest)?;
    let Some(inside) = after.strip_prefix('<') else {
        let one_atom = !name.is_empty() && name.chars().all(|c| c == '.' || is_atom(c));
        let words = if one_atom {
            "missing '@' or angle-addr"
        } else {
            "no angle-addr"
        };
        return Err(format!("mail: {words}"));
    };
    match specification(inside) {
        Some((address, ">")) => Ok(address),
        Some((_, after)) => Err(match after.strip_prefix('>') {
            Some(after) => format!("mail: expected single address, got {after:?}"),
            None => "mail: unclosed angle-addr".to_owned(),
        }),
        None => Err("mail: no angle-addr".to_owned()),
    }
}

/// `local@domain` at the start of a text, and what follows it. A quoted local part loses its quotation marks, as it does in
/// the binding.
fn specification(text: &str) -> Option<(Address, &str)> {
    let (local, rest) = match text.strip_prefix('"') {
        Some(quoted) => until_quote(quoted)?,
        None => {
            let (atom, rest) = dot_atom(text)?;
            (atom.to_owned(), rest)
        }
    };
    let rest = rest.strip_prefix('@')?;
    let (domain, rest) = if rest.starts_with('[') {
        rest.split_at(rest.find(']')? + 1)
    } else {
        dot_atom(rest)?
    };
    Some((Address::new_dangerous(local, domain), rest))
}

/// Atoms with single dots between them (RFC 5322, section 3.2.3), and what follows.
fn dot_atom(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c| c != '.' && !is_atom(c)).unwrap_or(text.len());
    let (atom, rest) = text.split_at(end);
    (!atom.split('.').any(str::is_empty)).then_some((atom, rest))
}

/// The content of a quoted string without its opening quotation mark, and what follows it.
fn until_quote(text: &str) -> Option<(String, &str)> {
    let (mut content, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => {
                content.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((content, text.get(at + 1..)?)),
            _ => content.push(c),
        }
    }
    None
}

/// The words before an address in angle brackets, and what follows them.
fn phrase(text: &str) -> Result<(String, &str), String> {
    let (mut name, mut rest) = (String::new(), text);
    while !rest.is_empty() && !rest.starts_with('<') {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => until_quote(quoted).ok_or("mail: unclosed quoted-string")?,
            None => {
                let end = rest.find(|c| c != '.' && !is_atom(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                (word.to_owned(), after)
            }
        };
        if word.is_empty() {
            break;
        }
        if !name.is_empty() {
            name.push(' ');
        }
        name.push_str(&word);
        rest = after.trim_start_matches([' ', '\t']);
    }
    if name.is_empty() && !rest.starts_with('<') {
        return Err("mail: missing word in phrase: mail: invalid string".to_owned());
    }
    Ok((name, rest))
}

/// `atext` of RFC 5322, section 3.2.3.
fn is_atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the binding answered; `Ok` with the recipient that it sent.
    const RECORDED: [(&str, Result<&str, &str>); 28] = [
        ("a@example.com", Ok("a@example.com")),
        (" a@example.com ", Ok("a@example.com")),
        ("A@EXAMPLE.COM", Ok("A@EXAMPLE.COM")),
        ("Alice <a@example.com>", Ok("a@example.com")),
        ("<a@example.com>", Ok("a@example.com")),
        ("a@example.com (comment)", Ok("a@example.com")),
        ("\"quoted local\"@example.com", Ok("quoted local@example.com")),
        ("\"a\\\"b\"@example.com", Ok("a\"b@example.com")),
        ("=?utf-8?q?a?= <b@example.com>", Ok("b@example.com")),
        ("a@[127.0.0.1]", Ok("a@[127.0.0.1]")),
        ("a@-example.com", Ok("a@-example.com")),
        ("a@exam_ple.com", Ok("a@exam_ple.com")),
        ("a@1.2.3.4", Ok("a@1.2.3.4")),
        (
            "o'neil+x=y/z?^`{|}~#!$%&*@example.com",
            Ok("o'neil+x=y/z?^`{|}~#!$%&*@example.com"),
        ),
        (
            "=?UTF-8?q?user@b=C3=BCcher.example?=",
            Ok("=?UTF-8?q?user@b=C3=BCcher.example?="),
        ),
        ("", Err("mail: no address")),
        ("alice", Err("mail: missing '@' or angle-addr")),
        ("alice@", Err("mail: missing '@' or angle-addr")),
        ("a..b@example.com", Err("mail: missing '@' or angle-addr")),
        (".a@example.com", Err("mail: missing '@' or angle-addr")),
        ("a@example.com.", Err("mail: missing '@' or angle-addr")),
        ("a,b@example.com", Err("mail: missing '@' or angle-addr")),
        ("a(comment)@example.com", Err("mail: missing '@' or angle-addr")),
        ("a b@example.com", Err("mail: no angle-addr")),
        (
            "@example.com",
            Err("mail: missing word in phrase: mail: invalid string"),
        ),
        ("a@b@c", Err("mail: expected single address, got \"@c\"")),
        (
            "a@ex ample.com",
            Err("mail: expected single address, got \"ample.com\""),
        ),
        (
            "a@example.com,b@example.com",
            Err("mail: expected single address, got \",b@example.com\""),
        ),
    ];

    #[test]
    fn accepts_and_refuses_as_the_binding_does() {
        for (text, expected) in RECORDED {
            let parsed = parse(text).map(|address| address.to_string());
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(parsed, expected, "{text}");
        }
    }
}
