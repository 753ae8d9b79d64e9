//! Versions, and the conditions that a request puts on them (RFC 9110, section 13): what `If-Match` and `If-None-Match` say of an
//! entity tag. A change is judged where it is made, against the version that it would replace; `http/conditions.rs` reads the
//! headers and judges reads.

/// Maximum number of attempts of a change that competes with concurrent ones.
pub(crate) const ATTEMPTS: u32 = 8;

/// What has a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thing {
    Task,
    Reminder,
    Category,
    Tag,
    Profile,
    Agent,
}

impl Thing {
    /// Its name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Reminder => "reminder",
            Self::Category => "category",
            Self::Tag => "tag",
            Self::Profile => "profile",
            Self::Agent => "agent",
        }
    }
}

/// A thing is at another version than the conditions ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) thing: Thing,
    /// The version that it is at.
    pub(crate) version: u32,
    /// Its entity tag.
    pub(crate) tag: String,
    /// Whether it is `If-None-Match` that does not hold, which names this version.
    pub(crate) excluded: bool,
}

/// Code of a header that is not a list of entity tags.
pub(crate) const INVALID_ETAG: &str = "invalid_etag";

/// What to send instead.
pub(crate) const WHAT_IS_AN_ETAG: &str = "send the ETag as it was given, in double quotes, or *";

/// The preconditions of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// `If-Match`: it must be one of these.
    matching: Option<Tags>,
    /// `If-None-Match`: it must be none of these.
    excluding: Option<Tags>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: whatever there is.
    Any,
    Listed(Vec<Tag>),
}

/// An entity tag (RFC 9110, section 8.8.3), its double quotes included.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    weak: bool,
    opaque: Vec<u8>,
}

/// What conditions say about an entity tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    Holds,
    /// `If-Match` names others.
    Mismatch,
    /// `If-None-Match` names it.
    Excluded,
}

impl Conditions {
    /// No conditions: any version will do.
    pub(crate) const NONE: Self = Self {
        matching: None,
        excluding: None,
    };

    /// Conditions from a string that stands for `If-Match`, such as `ifMatch` of a bulk operation.
    ///
    /// # Errors
    ///
    /// What to send instead.
    pub(crate) fn matching(text: &str) -> Result<Self, &'static str> {
        Ok(Self {
            matching: Some(tags(text.as_bytes()).ok_or(WHAT_IS_AN_ETAG)?),
            excluding: None,
        })
    }

    /// The conditions of the two headers, each as its lines joined by commas.
    ///
    /// # Errors
    ///
    /// The name of the header that is not a list of entity tags.
    pub(crate) fn of(matching: Option<Vec<u8>>, excluding: Option<Vec<u8>>) -> Result<Self, &'static str> {
        let read = |list: Option<Vec<u8>>, name| list.map(|list| tags(&list).ok_or(name)).transpose();
        Ok(Self {
            matching: read(matching, "If-Match")?,
            excluding: read(excluding, "If-None-Match")?,
        })
    }

    /// Whether the request has no conditions.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// Refuses to change a thing that is at this version, unless the conditions hold.
    ///
    /// # Errors
    ///
    /// Which of them does not.
    pub(crate) fn check(&self, thing: Thing, version: u32) -> Result<(), Mismatch> {
        self.check_tagged(thing, version, etag(version))
    }

    /// The same for a thing whose entity tag has more than its version. `If-Match` may name the version alone, since a
    /// change does not overwrite the rest.
    pub(crate) fn check_tagged(&self, thing: Thing, version: u32, tag: String) -> Result<(), Mismatch> {
        let excluded = match self.judge(tag.as_bytes(), etag(version).as_bytes()) {
            Judgement::Holds => return Ok(()),
            Judgement::Mismatch => false,
            Judgement::Excluded => true,
        };
        Err(Mismatch {
            thing,
            version,
            tag,
            excluded,
        })
    }

    /// In the order of RFC 9110, section 13.2.2. `If-Match` compares strongly, `If-None-Match` weakly (section 8.8.3.2).
    pub(crate) fn judge(&self, current: &[u8], version: &[u8]) -> Judgement {
        let names = |tags: &Tags, current: &[u8], weak: bool| match tags {
            Tags::Any => true,
            Tags::Listed(tags) => tags
                .iter()
                .any(|tag| tag.opaque == current && (weak || !tag.weak)),
        };
        let matches = |tags: &Tags| names(tags, current, false) || names(tags, version, false);
        if self.matching.as_ref().is_some_and(|tags| !matches(tags)) {
            Judgement::Mismatch
        } else if self
            .excluding
            .as_ref()
            .is_some_and(|tags| names(tags, current, true))
        {
            Judgement::Excluded
        } else {
            Judgement::Holds
        }
    }
}

/// The entity tag of a version. Strong: a version never changes.
pub(crate) fn etag(version: u32) -> String {
    format!("\"{version}\"")
}

/// `*`, or at least one entity tag. A comma may be part of a tag; elements may be empty (section 5.6.1.2).
fn tags(list: &[u8]) -> Option<Tags> {
    let mut rest = list.trim_ascii();
    if rest == b"*" {
        return Some(Tags::Any);
    }
    let mut tags = Vec::new();
    loop {
        while let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
        }
        if rest.is_empty() {
            return (!tags.is_empty()).then_some(Tags::Listed(tags));
        }
        let (tag, after) = tag(rest)?;
        tags.push(tag);
        rest = after.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
}

/// The first entity tag of a list, and what follows it.
fn tag(list: &[u8]) -> Option<(Tag, &[u8])> {
    let (weak, quoted) = match list.strip_prefix(b"W/") {
        Some(quoted) => (true, quoted),
        None => (false, list),
    };
    let length = quoted
        .strip_prefix(b"\"")?
        .iter()
        .position(|byte| *byte == b'"')?;
    let (opaque, after) = quoted.split_at_checked(length + 2)?;
    let allowed = |byte: &u8| byte.is_ascii_graphic() || *byte >= 0x80;
    opaque.iter().all(allowed).then(|| {
        let opaque = opaque.to_vec();
        (Tag { weak, opaque }, after)
    })
}
