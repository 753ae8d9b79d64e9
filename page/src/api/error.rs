//! Why a request failed, in words.

use nudge_page_model::Problem;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// There was no response.
    Offline,
    /// The response took too long.
    TimedOut,
    /// There is no token, or it is not accepted.
    SignedOut,
    /// The API refused the request.
    Refused(Problem),
    /// The response is not what the API answers.
    Unreadable(String),
}

impl ApiError {
    /// The error as a sentence.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Offline => "Nudge cannot be reached. Check the connection and try again.".to_owned(),
            Self::TimedOut => "Nudge takes too long to answer. Try again.".to_owned(),
            Self::SignedOut => "You are signed out. Sign in again.".to_owned(),
            Self::Refused(problem) => problem.sentence(),
            Self::Unreadable(_) => {
                "Nudge answered something that this page does not understand. Reload the page.".to_owned()
            }
        }
    }

    /// Milliseconds after which the same request can be made again, if the API says so: it is busy, or a limit is reached.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Refused(problem) if matches!(problem.status, 429 | 503) => {
                Some(problem.retry_after?.clamp(1, 60) * 1_000)
            }
            _ => None,
        }
    }

    /// What is wrong with a field, if that is the reason.
    pub(crate) fn beside(&self, field: &str) -> Option<String> {
        match self {
            Self::Refused(problem) => problem.beside(field).map(nudge_page_model::problem::sentence),
            _ => None,
        }
    }

    /// What a form shows that has these fields, each with its own message: the rest of the messages, or the whole error if it is not
    /// about fields.
    pub(crate) fn other_than(&self, fields: &[&str]) -> Vec<String> {
        match self {
            Self::Refused(problem) if !problem.errors.is_empty() => problem.other_than(fields),
            _ => vec![self.sentence()],
        }
    }
}
