//! Everything about a user as one JSON document, written page by page while the database is read.
//!
//! The brackets are closed after the last page. If the database fails before that, the body ends early and is not valid JSON,
//! so it cannot be mistaken for a complete export.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body_util::channel::{Channel, Sender};
use jiff::Timestamp;
use nudge_contract::api::ChangeItem;
use nudge_domain::id::UserId;
use nudge_domain::task::Task;
use serde::Serialize;
use serde_json::json;
use spin_sdk::wasip3::clocks::monotonic_clock::wait_for;

use crate::agents::service as agents;
use crate::caller::Caller;
use crate::db::{Database, DbError};
use crate::events::feed::{self, Cursor};
use crate::profile;
use crate::recipients;
use crate::tasks::labels;
use crate::tasks::labels::Kind;
use crate::tasks::record;
use crate::tasks::store;

/// What an export costs, where a plain request costs 1. It reads everything, however much that is.
pub(crate) const COST: u32 = 100;

/// Items of a page: at most a few megabytes, however long descriptions are.
const PAGE: u32 = 100;

/// How long a reader may take nothing of it. An export occupies its instance as long as it lasts.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why writing ended early.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("an item cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    #[error("its reader took nothing for {} s", PATIENCE.as_secs())]
    Stalled,
    #[error("its reader is gone")]
    NoReader(#[from] http_body_util::channel::SendError),
}

/// Reads what is small, and begins a body that brings the rest.
pub(crate) async fn begin(caller: &Caller) -> Result<Body, DbError> {
    let Caller { user, database, .. } = caller;
    let now = Timestamp::now();
    let profile = profile::remember(database, user, now).await?;
    let mut head = json!({
        "exportedAt": now.to_string(),
        "me": recipients::me::view(database, &profile, now).await?,
        "categories": labels::service::all(database, Kind::Category, &profile.id).await?,
        "tags": labels::service::all(database, Kind::Tag, &profile.id).await?,
        "agents": agents::list(database, &profile.id).await?,
    })
    .to_string();
    // The object stays open.
    head.pop();
    let (sender, body) = Channel::<Bytes, Stop>::new(1);
    spin_sdk::wasip3::spawn(async move {
        let mut writer = Writer { sender };
        match writer.write(head, &profile.id, now).await {
            Ok(()) => {}
            Err(Stop::NoReader(_)) => tracing::info!("an export was not read to its end"),
            Err(stop @ Stop::Stalled) => {
                tracing::info!("an export breaks off: {stop}");
                writer.sender.abort(stop);
            }
            Err(stop) => {
                tracing::error!("an export breaks off: {stop}");
                writer.sender.abort(stop);
            }
        }
    });
    Ok(Body::new(body))
}

struct Writer {
    sender: Sender<Bytes, Stop>,
}

impl Writer {
    async fn write(&mut self, head: String, user_id: &UserId, until: Timestamp) -> Result<(), Stop> {
        self.send(head).await?;

        self.send(",\"tasks\":[".to_owned()).await?;
        let mut last: Option<Task> = None;
        loop {
            // A connection for each page: a slow reader must not keep one of PostgreSQL's.
            let tasks =
                store::oldest_of(&Database::open().await?, user_id, last.as_ref(), until, PAGE).await?;
            self.items(tasks.iter().map(record::view), last.is_none()).await?;
            if tasks.len() < PAGE as usize {
                break;
            }
            last = tasks.into_iter().next_back();
        }
        self.send("],\"history\":[".to_owned()).await?;
        let mut cursor = Some(Cursor::default());
        let mut first = true;
        while let Some(since) = cursor {
            let changes = feed::changes(&Database::open().await?, user_id, since, PAGE).await?;
            // What happens while this is read is not waited for.
            let later = |item: &ChangeItem| item.time > until;
            let items: Vec<_> = changes.items.iter().take_while(|item| !later(item)).collect();
            // More follows any answer that is not empty, however short.
            let goes_on = !items.is_empty() && items.len() == changes.items.len();
            self.items(items.into_iter(), first).await?;
            first = false;
            cursor = goes_on
                .then(|| changes.next.parse())
                .transpose()
                .map_err(|()| DbError::Unreadable(format!("{} is not a cursor", changes.next)))?;
        }
        self.send("]}".to_owned()).await
    }

    /// Some items of a list that is open.
    async fn items<T: Serialize>(&mut self, items: impl Iterator<Item = T>, first: bool) -> Result<(), Stop> {
        let mut page = String::new();
        for (index, item) in items.enumerate() {
            if index > 0 || !first {
                page.push(',');
            }
            page.push_str(&serde_json::to_string(&item)?);
        }
        self.send(page).await
    }

    async fn send(&mut self, text: String) -> Result<(), Stop> {
        if text.is_empty() {
            return Ok(());
        }
        let sending = pin!(self.sender.send_data(text.into()));
        let patience = pin!(wait_for(PATIENCE.as_nanos() as u64));
        match select(sending, patience).await {
            Either::Left((sent, _)) => Ok(sent?),
            Either::Right(_) => Err(Stop::Stalled),
        }
    }
}
