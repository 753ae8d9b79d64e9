//! What one user may do and store. Each limit is a variable of the component; 0 is no limit. A refusal names the limit and the way out.
//!
//! A limit of what is done in a time is a rate: the refusal says when to go on. The others are quotas: something has to be deleted
//! first, or the operator raises the variable. Decision 0043 has the reasons for the defaults.

use std::fmt;

use nudge_component::settings::variable;

/// What is limited, for each user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// What requests cost in a minute. A plain one costs 1, one of many operations as much as they.
    CostPerMinute,
    /// Requests that one instance serves at the same time.
    RequestsInFlight,
    /// Streams of changes, over all instances.
    OpenFeeds,
    /// Bytes of responses that are kept for their `Idempotency-Key`.
    KeptResponseBytes,
    /// Tasks that are not deleted.
    Tasks,
    /// Tags.
    Tags,
    /// Categories.
    Categories,
    /// Agents, with those whose token has expired.
    Agents,
    /// Reminders that are due in the same minute.
    RemindersPerMinute,
    /// Versions of one task. The oldest are deleted, so nothing is refused.
    TaskVersions,
}

impl Limit {
    /// The variable that sets it.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::CostPerMinute => "rate_limit_per_minute",
            Self::RequestsInFlight => "max_requests_in_flight",
            Self::OpenFeeds => "max_open_feeds",
            Self::KeptResponseBytes => "max_kept_response_bytes",
            Self::Tasks => "max_tasks",
            Self::Tags => "max_tags",
            Self::Categories => "max_categories",
            Self::Agents => "max_agents",
            Self::RemindersPerMinute => "max_reminders_per_minute",
            Self::TaskVersions => "max_task_versions",
        }
    }

    /// Its value when the variable is not set.
    fn default(self) -> u32 {
        match self {
            Self::CostPerMinute => 1200,
            Self::RequestsInFlight | Self::OpenFeeds => 8,
            Self::KeptResponseBytes => 16 * 1024 * 1024,
            Self::Tasks => 20_000,
            Self::Tags => 500,
            Self::Categories => 200,
            Self::Agents => 20,
            Self::RemindersPerMinute => 100,
            Self::TaskVersions => 1000,
        }
    }

    /// Its value; none if there is no limit.
    ///
    /// # Errors
    ///
    /// The variable cannot be read, or is not a whole number.
    pub(crate) async fn most(self) -> Result<Option<u32>, SettingError> {
        if cfg!(fuzzing) {
            // Outside of a component there is no database that counts.
            return Ok(None);
        }
        let name = self.variable();
        let most = match variable(name).await.map_err(SettingError)? {
            None => self.default(),
            Some(text) => text
                .parse()
                .map_err(|_| SettingError(format!("variable {name} is {text}, not a whole number")))?,
        };
        Ok(Some(most).filter(|most| *most > 0))
    }
}

/// A limit cannot be read. The text is for the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SettingError(pub(crate) String);

/// A user has reached a limit. The text, for the user, names it, its value and the way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OverLimit {
    pub(crate) limit: Limit,
    /// Its value.
    pub(crate) most: u32,
    /// How much was asked for at once.
    pub(crate) asked: u32,
    /// When to try again, in seconds: of a rate. The others are quotas.
    pub(crate) retry_after: Option<u32>,
}

impl OverLimit {
    /// More than `most` of something would be stored.
    pub(crate) fn quota(limit: Limit, most: u32) -> Self {
        Self {
            limit,
            most,
            asked: 1,
            retry_after: None,
        }
    }

    /// More than `most` of something would be done at a time; `seconds` until it may be tried again.
    pub(crate) fn rate(limit: Limit, most: u32, seconds: u32) -> Self {
        Self {
            limit,
            most,
            asked: 1,
            retry_after: Some(seconds),
        }
    }
}

impl fmt::Display for OverLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            limit, most, asked, ..
        } = self;
        match limit {
            Limit::CostPerMinute if asked > most => write!(
                f,
                "this request costs {asked}, and a minute has {most}: send it in smaller parts"
            ),
            Limit::CostPerMinute => {
                let cost = if *asked > 1 {
                    format!(", and this request costs {asked}")
                } else {
                    String::new()
                };
                write!(f, "a minute has {most} requests or operations{cost}: ")
            }
            Limit::RequestsInFlight => write!(
                f,
                "{most} of your requests are being answered at the moment: wait for one of them"
            ),
            Limit::OpenFeeds => write!(
                f,
                "you have {most} open streams of changes: close one, or read changes as application/json"
            ),
            Limit::KeptResponseBytes => write!(
                f,
                "responses to your requests with an Idempotency-Key take {most} bytes for a day: send the request without a key, or "
            ),
            Limit::Tasks => write!(f, "you have {most} tasks: delete some that you no longer need"),
            Limit::Tags => write!(f, "you have {most} tags: delete some that you no longer need"),
            Limit::Categories => write!(
                f,
                "you have {most} categories: delete some that you no longer need"
            ),
            Limit::Agents => write!(f, "you have {most} agents: remove some that you no longer use"),
            Limit::TaskVersions => write!(f, "a task has {most} versions"),
            Limit::RemindersPerMinute => write!(
                f,
                "you have {most} reminders that are due in the same minute: choose another minute for some of them"
            ),
        }?;
        match (limit, self.retry_after) {
            (Limit::CostPerMinute, Some(_)) if asked > most => {}
            (Limit::CostPerMinute | Limit::KeptResponseBytes, Some(seconds)) => {
                write!(f, "go on in {seconds} seconds")?;
            }
            _ => {}
        }
        write!(f, "; the operator can raise {}", limit.variable())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_limit_and_the_way_out() {
        for (over, text) in [
            (
                OverLimit::rate(Limit::CostPerMinute, 1200, 20),
                "a minute has 1200 requests or operations: go on in 20 seconds; the operator can raise rate_limit_per_minute",
            ),
            (
                OverLimit {
                    asked: 100,
                    ..OverLimit::rate(Limit::CostPerMinute, 1200, 20)
                },
                "a minute has 1200 requests or operations, and this request costs 100: go on in 20 seconds; the operator can raise rate_limit_per_minute",
            ),
            (
                OverLimit {
                    asked: 100,
                    ..OverLimit::rate(Limit::CostPerMinute, 50, 20)
                },
                "this request costs 100, and a minute has 50: send it in smaller parts; the operator can raise rate_limit_per_minute",
            ),
            (
                OverLimit::rate(Limit::KeptResponseBytes, 4096, 60),
                "responses to your requests with an Idempotency-Key take 4096 bytes for a day: send the request without a key, or go on in 60 seconds; the operator can raise max_kept_response_bytes",
            ),
            (
                OverLimit::quota(Limit::Tasks, 20_000),
                "you have 20000 tasks: delete some that you no longer need; the operator can raise max_tasks",
            ),
        ] {
            assert_eq!(over.to_string(), text);
        }
    }
}
