//! The response to a refused token.

use nudge_component::Problem;

/// 401: the token is refused.
pub(super) fn refuse(detail: impl std::fmt::Display) -> Problem {
    Problem::unauthorized(format!("the token {detail}"))
}
