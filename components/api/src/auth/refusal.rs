//! The response to a refused token.

use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::log::LogLimit;

/// Lines about refused tokens. Anybody can cause them, so one of each reason is logged in a second.
static REFUSED: LogLimit = LogLimit::new();

/// 401: the token is refused.
pub(super) fn refuse(detail: impl std::fmt::Display) -> Problem {
    Problem::unauthorized(format!("the token {detail}"))
}

/// Logs why a caller was not let in, unless another one was within the same second for the same reason. The response logs nothing more.
pub(super) fn logged_seldom(problem: Problem, now: Timestamp) -> Problem {
    if let Some(log) = problem.log_text() {
        let (status, code) = (problem.status(), problem.code());
        seldom(problem.detail(), now, |others| {
            if status.is_server_error() {
                tracing::error!(status = status.as_u16(), code, others, "{log}");
            } else {
                tracing::info!(status = status.as_u16(), code, others, "{log}");
            }
        });
    }
    problem.without_log()
}

/// Writes a line about a token, unless there was one of the same kind within the same second. `line` gets the number of those that were
/// not written before it.
pub(super) fn seldom(kind: &str, now: Timestamp, line: impl FnOnce(u64)) {
    if let Some(others) = REFUSED.admit(kind, now) {
        line(others);
    }
}
