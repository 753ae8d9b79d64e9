//! Names that are the same in every environment: app ids, Dapr components, topics, routes.
//!
//! Consumers appear here with their routes only: which topic leads to which route is declared by the
//! `Subscription` resources in `dapr-components/`, never in code.

/// App ids, as in `dapr.io/app-id`.
pub mod app {
    /// The task service.
    pub const API: &str = "api";
    /// Turns tasks into jobs, and jobs into due reminders.
    pub const NOTIFICATION: &str = "notification";
    /// Sends due reminders by email.
    pub const EMAIL_DELIVERY: &str = "email-delivery";
    /// Turns completed recurring tasks into their next occurrence.
    pub const RECURRING_TASK: &str = "recurring-task";
    /// Serves the page. It has no sidecar, so it is not among [`ALL`].
    pub const WEB: &str = "web";
    /// Carries changes between Nudge and the legacy system; runs during a migration only.
    pub const LEGACY_ADAPTER: &str = "legacy-adapter";
    /// The apps that always run.
    pub const ALL: [&str; 4] = [API, NOTIFICATION, EMAIL_DELIVERY, RECURRING_TASK];

    /// The components that a service runs with, itself first: the page has the origin of the api.
    pub fn components(app: &str) -> Vec<&str> {
        if app == API { vec![API, WEB] } else { vec![app] }
    }

    /// How many calls the sidecar of an app may make to it at the same time (`--app-max-concurrency`); none is no limit.
    ///
    /// Email-delivery gets one reminder at a time: Dapr's smtp binding mixes up emails that are sent at the same time, and
    /// email-delivery sends nothing under any other limit (docs/decisions/0032-one-email-at-a-time.md). The others get as many as one
    /// instance of a component serves on Spin, so that a burst of jobs or events needs no more instances, and their memory.
    pub fn max_concurrency(app_id: &str) -> Option<u32> {
        match app_id {
            EMAIL_DELIVERY => Some(1),
            API | NOTIFICATION | RECURRING_TASK => Some(16),
            _ => None,
        }
    }
}

/// Dapr components, as in `metadata.name` of a `Component`.
pub mod component {
    /// The broker.
    pub const PUBSUB: &str = "pubsub";
    /// The broker, with the topics of the legacy system.
    pub const LEGACY: &str = "legacy";
    /// The state store.
    pub const STATE_STORE: &str = "statestore";
    /// The secret store.
    pub const SECRET_STORE: &str = "secretstore";
    /// The SMTP binding.
    pub const SMTP: &str = "smtp";
}

/// Topics that are published to.
pub mod topic {
    /// Every change of every task.
    pub const TASK_EVENTS: &str = "task-events";
    /// Short notices for clients that update a display.
    pub const TASK_UPDATES: &str = "task-updates";
    /// Completed recurring tasks.
    pub const TASK_RECURRENCE: &str = "task-recurrence";
    /// Reminders whose time has come.
    pub const TASK_REMINDERS: &str = "task-reminders";
    /// Outcomes of deliveries.
    pub const REMINDER_OUTCOMES: &str = "reminder-outcomes";
    /// Emails about an account: the confirmation of an address, and what its former address is told.
    pub const ACCOUNT_NOTICES: &str = "account-notices";
    /// Events that no consumer could handle.
    pub const DEAD_LETTER: &str = "dead-letter";
}

/// Secrets, as the secret store names them.
pub mod secret {
    /// Key of the HS256 tokens of users: at least 32 characters.
    pub const JWT_KEY: &str = "jwt-key";
}

/// Recurring jobs of the app `notification`, and the names of its one-time jobs.
pub mod job {
    /// Publishes the events that a crash left in the database.
    pub const RELAY: &str = "relay";
    /// Fires what is due, and arms the seconds in which reminders become due soon.
    pub const RECONCILE: &str = "reconcile";
    /// Start of the name of a due second's job; the second follows, in Unix time.
    pub const DUE_PREFIX: &str = "due-";
    /// Start of the name of the jobs of versions that scheduled one per reminder; its id follows.
    pub const REMINDER_PREFIX: &str = "reminder-";
}

/// Routes that sidecars call.
pub mod route {
    use super::app;

    /// Routes that only the sidecar may call: app, method, route.
    pub const SIDECAR_ONLY: [(&str, &str, &str); 32] = [
        (app::API, "POST", REMINDER_OUTCOMES),
        (app::API, "POST", RELAY),
        (app::API, "POST", LEASES),
        (app::API, "GET", DUE_SECONDS),
        (app::API, "POST", DELIVERIES),
        (app::API, "POST", DEFERRALS),
        (app::API, "POST", SUCCESSORS),
        (app::API, "POST", REFUSED_RECIPIENTS),
        (app::API, "POST", NOTICES),
        (app::API, "POST", NOTICE_OUTCOMES),
        (app::API, "GET", OVERDUE_REMINDERS),
        (app::API, "GET", REMINDER_DELIVERY),
        (app::API, "POST", SUCCESSOR),
        (app::API, "POST", DEAD_LETTER_EVENTS),
        (app::API, "GET", DEAD_LETTERS),
        (app::API, "POST", DEAD_LETTERS_REPLAY),
        (app::API, "POST", DEAD_LETTERS_DISCARD),
        (app::API, "POST", TOKEN_REVOCATIONS),
        (app::API, "POST", LEGACY_CHANGES),
        (app::API, "POST", LEGACY_TAKE_OVER),
        (app::API, "POST", LEGACY_TASK),
        (app::API, "GET", LEGACY_MASTERS),
        (app::API, "POST", LEGACY_MASTERS),
        (app::NOTIFICATION, "POST", TASK_EVENTS),
        (app::NOTIFICATION, "POST", JOB),
        (app::EMAIL_DELIVERY, "POST", TASK_REMINDERS),
        (app::EMAIL_DELIVERY, "POST", ACCOUNT_NOTICES),
        (app::RECURRING_TASK, "POST", TASK_RECURRENCE),
        (app::LEGACY_ADAPTER, "POST", LEGACY_EVENTS),
        (app::LEGACY_ADAPTER, "POST", LEGACY_COMPLETIONS),
        (app::LEGACY_ADAPTER, "POST", LEGACY_TASK_EVENTS),
        (app::LEGACY_ADAPTER, "POST", LEGACY_OUTCOMES),
    ];
    /// Routes without authentication: the probes of Dapr and Kubernetes carry no token.
    pub const OPEN: [&str; 7] = [
        NOTIFICATION_HEALTH,
        EMAIL_DELIVERY_HEALTH,
        EMAIL_DELIVERY_READY,
        RECURRING_TASK_HEALTH,
        LEGACY_ADAPTER_HEALTH,
        READY,
        LIVE,
    ];
    /// Api: outcomes of deliveries.
    pub const REMINDER_OUTCOMES: &str = "/internal/events/reminder-outcomes";
    /// Api: events that a consumer could not handle.
    pub const DEAD_LETTER_EVENTS: &str = "/internal/events/dead-letters";
    /// Api: the dead letters that wait for an operator's decision.
    pub const DEAD_LETTERS: &str = "/internal/dead-letters";
    /// Api: publishes some of them again.
    pub const DEAD_LETTERS_REPLAY: &str = "/internal/dead-letters/replay";
    /// Api: deletes some of them.
    pub const DEAD_LETTERS_DISCARD: &str = "/internal/dead-letters/discard";
    /// Api: revokes tokens of a user.
    pub const TOKEN_REVOCATIONS: &str = "/internal/tokens/revocations";
    /// Api: publishes pending events.
    pub const RELAY: &str = "/internal/relay";
    /// Api: leases due reminders.
    pub const LEASES: &str = "/internal/reminders/leases";
    /// Api: the seconds in which reminders become due soon; the parameter `seconds` is the horizon.
    pub const DUE_SECONDS: &str = "/internal/reminders/due-seconds";
    /// Api: whether and where to send leased reminders.
    pub const DELIVERIES: &str = "/internal/reminders/deliveries";
    /// Api: leased reminders that were not sent, for another attempt.
    pub const DEFERRALS: &str = "/internal/reminders/deferrals";
    /// Api: recipients that no email can be sent to.
    pub const REFUSED_RECIPIENTS: &str = "/internal/recipients/refused";
    /// Api: whether, where and what to send for requested notices.
    pub const NOTICES: &str = "/internal/notices/deliveries";
    /// Api: how deliveries of notices ended.
    pub const NOTICE_OUTCOMES: &str = "/internal/notices/outcomes";
    /// Api: creates the next occurrences of series, or ends them.
    pub const SUCCESSORS: &str = "/internal/successors";
    /// Api: [`LEASES`] for services from before batches, during a rolling upgrade.
    pub const OVERDUE_REMINDERS: &str = "/internal/reminders/overdue";
    /// Api: [`DELIVERIES`] for one reminder and services from before batches; `{id}` is the reminder's.
    pub const REMINDER_DELIVERY: &str = "/internal/reminders/{id}/delivery";
    /// Api: [`SUCCESSORS`] for one completed task and services from before batches; `{id}` is the task's.
    pub const SUCCESSOR: &str = "/internal/tasks/{id}/successor";
    /// Api: changes of the legacy system, and rows that are imported from it.
    pub const LEGACY_CHANGES: &str = "/internal/legacy/changes";
    /// Api: a task was completed in the legacy system, and Nudge is to create the next occurrence.
    pub const LEGACY_TAKE_OVER: &str = "/internal/legacy/take-over";
    /// Api: a task with its numbers in the legacy system; `{id}` is the task's.
    pub const LEGACY_TASK: &str = "/internal/legacy/tasks/{id}";
    /// Api: which of the two systems reminds which users.
    pub const LEGACY_MASTERS: &str = "/internal/legacy/masters";
    /// Legacy-adapter: events of the legacy system.
    pub const LEGACY_EVENTS: &str = "/legacy-adapter/events/legacy";
    /// Legacy-adapter: completions in the legacy system, read in the consumer group of that system's recurring-task service.
    pub const LEGACY_COMPLETIONS: &str = "/legacy-adapter/events/completions";
    /// Legacy-adapter: changes of tasks in Nudge.
    pub const LEGACY_TASK_EVENTS: &str = "/legacy-adapter/events/task-events";
    /// Legacy-adapter: outcomes of deliveries in Nudge.
    pub const LEGACY_OUTCOMES: &str = "/legacy-adapter/events/reminder-outcomes";
    /// Legacy-adapter: health.
    pub const LEGACY_ADAPTER_HEALTH: &str = "/legacy-adapter/health";
    /// Notification: changes of tasks.
    pub const TASK_EVENTS: &str = "/notification/events/task-events";
    /// Notification: a job that is due; `{name}` is the job's.
    pub const JOB: &str = "/job/{name}";
    /// Notification: health, which also schedules the recurring jobs.
    pub const NOTIFICATION_HEALTH: &str = "/notification/health";
    /// Email-delivery: due reminders.
    pub const TASK_REMINDERS: &str = "/email-delivery/events/task-reminders";
    /// Email-delivery: requested notices.
    pub const ACCOUNT_NOTICES: &str = "/email-delivery/events/account-notices";
    /// Email-delivery: health.
    pub const EMAIL_DELIVERY_HEALTH: &str = "/email-delivery/health";
    /// Email-delivery: readiness, which depends on a setting of its sidecar.
    pub const EMAIL_DELIVERY_READY: &str = "/email-delivery/ready";
    /// Recurring-task: completed recurring tasks.
    pub const TASK_RECURRENCE: &str = "/recurring-task/events/task-recurrence";
    /// Recurring-task: health.
    pub const RECURRING_TASK_HEALTH: &str = "/recurring-task/health";
    /// Api: readiness.
    pub const READY: &str = "/health/ready";
    /// Api: liveness.
    pub const LIVE: &str = "/health/live";

    /// The route at which the sidecar of an app checks the app's health.
    pub fn health_of(app_id: &str) -> &'static str {
        match app_id {
            app::NOTIFICATION => NOTIFICATION_HEALTH,
            app::EMAIL_DELIVERY => EMAIL_DELIVERY_HEALTH,
            app::RECURRING_TASK => RECURRING_TASK_HEALTH,
            app::LEGACY_ADAPTER => LEGACY_ADAPTER_HEALTH,
            _ => LIVE,
        }
    }

    /// The route at which a cluster checks whether an app is ready.
    pub fn ready_of(app_id: &str) -> &'static str {
        match app_id {
            app::API => READY,
            app::EMAIL_DELIVERY => EMAIL_DELIVERY_READY,
            _ => health_of(app_id),
        }
    }
}
