//! Why a recurrence was refused.

use std::borrow::Cow;

use super::{Frequency, Rule};

/// Why a recurrence was refused, worded for its author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// Nothing was given.
    #[error(
        "the recurrence is empty: leave it out, or give a rule such as FREQ=WEEKLY;BYDAY=MO or `every monday`"
    )]
    Empty,
    /// Over 500 characters.
    #[error(
        "the recurrence is too long: at most {} characters are allowed",
        Rule::MAX_TEXT_CHARS
    )]
    TooLong,
    /// Neither rule text nor a known phrase.
    #[error(
        "`{text}` is not understood as a recurrence: try `daily`, `every 2 weeks`, `every monday and thursday`, \
         `weekdays`, `last friday of the month`, `every month on the 15th`, `every january 1`, \
         or a rule such as FREQ=WEEKLY;BYDAY=MO"
    )]
    UnknownPhrase {
        /// The refused text, shortened.
        text: String,
    },
    /// A phrase with two common readings.
    #[error("`{text}` can mean two things: say {instead}")]
    AmbiguousPhrase {
        /// The refused text, shortened.
        text: String,
        /// Unambiguous phrases for both readings.
        instead: Cow<'static, str>,
    },
    /// A phrase with one likely meaning, in a form that is not supported.
    #[error("`{text}` is not understood as a recurrence: say {instead}")]
    OtherForm {
        /// The refused text, shortened.
        text: String,
        /// A phrase in a supported form.
        instead: &'static str,
    },
    /// A phrase that says how often, but not when: `3 days a week`.
    #[error("`{text}` says how often, but not on which days: say {instead}")]
    DaysMissing {
        /// The refused text, shortened.
        text: String,
        /// Phrases that say which days.
        instead: &'static str,
    },
    /// A phrase with a time of day.
    #[error("`{text}` names a time of day: leave it out, the time comes from the due date")]
    TimeInPhrase {
        /// The refused text, shortened.
        text: String,
    },
    /// A part that is not `NAME=value`.
    #[error("`{part}` is not part of a rule: write NAME=value, parts separated by semicolons")]
    MalformedPart {
        /// The refused part, shortened.
        part: String,
    },
    /// A name that RFC 5545 does not define.
    #[error("`{name}` is not a part of an RRULE (RFC 5545): remove it")]
    UnknownPart {
        /// The refused name, shortened.
        name: String,
    },
    /// A part of RFC 5545 that is not for dates.
    #[error("{name} is not supported: the time of day comes from the due date, remove {name}")]
    UnsupportedPart {
        /// The refused name.
        name: &'static str,
    },
    /// `SECONDLY`, `MINUTELY` or `HOURLY`.
    #[error("FREQ={frequency} is not supported: use DAILY, WEEKLY, MONTHLY or YEARLY")]
    UnsupportedFrequency {
        /// The refused frequency.
        frequency: &'static str,
    },
    /// One part given twice.
    #[error("{name} is given twice: keep one")]
    RepeatedPart {
        /// The part.
        name: &'static str,
    },
    /// No `FREQ`.
    #[error("FREQ is missing: add FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")]
    MissingFrequency,
    /// A value that its part does not allow.
    #[error("{name}={value} is not valid: {expected}")]
    InvalidValue {
        /// The part.
        name: &'static str,
        /// The refused value, shortened.
        value: String,
        /// What the part allows.
        expected: &'static str,
    },
    /// More than 62 values in one list.
    #[error("{name} has too many values: at most {} are allowed", Rule::MAX_VALUES)]
    TooManyValues {
        /// The part.
        name: &'static str,
    },
    /// A part that is not allowed with this frequency (the table in section 3.3.10).
    #[error("{name} cannot be combined with FREQ={frequency}: remove it or choose another frequency")]
    NotWithFrequency {
        /// The part.
        name: &'static str,
        /// The rule's frequency.
        frequency: Frequency,
    },
    /// `BYDAY=1MO` where only `BYDAY=MO` makes sense.
    #[error(
        "a number before a weekday needs FREQ=MONTHLY, or FREQ=YEARLY without BYWEEKNO: \
         write BYDAY=MO instead of BYDAY=1MO"
    )]
    OrdinalNotAllowed,
    /// Two ends.
    #[error("COUNT and UNTIL exclude each other: keep one")]
    CountAndUntil,
    /// Positions without another part that defines the set.
    #[error("BYSETPOS needs another BY part to choose from: add one, such as BYDAY=MO,TU,WE,TH,FR")]
    SetPosAlone,
    /// No date of any year matches.
    #[error("the rule matches no date: check its months, days and positions (30 February never comes)")]
    NeverMatches,
}

impl RuleError {
    /// Stable code for programs: `recurrence_never_matches`, `ambiguous_recurrence`, `unsupported_recurrence`, and
    /// `invalid_recurrence` for everything else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NeverMatches => "recurrence_never_matches",
            Self::AmbiguousPhrase { .. } => "ambiguous_recurrence",
            Self::TimeInPhrase { .. } | Self::UnsupportedPart { .. } | Self::UnsupportedFrequency { .. } => {
                "unsupported_recurrence"
            }
            _ => "invalid_recurrence",
        }
    }
}
