//! What the changes of one request look up once: an import names the same few users and labels again and again.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use nudge_component::trace::Traceparent;
use nudge_contract::event::Origin;
use nudge_contract::legacy::LegacyChange;
use nudge_domain::Zone;
use nudge_domain::id::{CategoryId, TagId, UserId};
use uuid::Uuid;

use super::numbers;
use crate::auth::User;
use crate::caller::Cause;
use crate::db::{Database, DbError};
use crate::profile::{self, Profile};
use crate::tasks::labels::Kind;

/// The changes of one request.
pub(super) struct Batch<'a> {
    pub(super) database: &'a Database,
    pub(super) cause: Cause,
    profiles: HashMap<UserId, Profile>,
    categories: HashMap<i64, Uuid>,
    tags: HashMap<i64, Uuid>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(database: &'a Database, trace: &Traceparent) -> Self {
        Self {
            database,
            cause: Cause::import(trace.clone()),
            profiles: HashMap::new(),
            categories: HashMap::new(),
            tags: HashMap::new(),
        }
    }

    /// The profile of a user, which is created if Nudge does not know the user yet.
    pub(super) async fn profile(&mut self, user_id: &UserId) -> Result<&Profile, DbError> {
        match self.profiles.entry(user_id.clone()) {
            Entry::Occupied(found) => Ok(found.into_mut()),
            Entry::Vacant(missing) => {
                let user = User {
                    id: user_id.clone(),
                    email: None,
                    zone: Zone::utc(),
                    says_zone: false,
                    agent: None,
                };
                Ok(missing.insert(profile::remember(self.database, &user, Timestamp::now()).await?))
            }
        }
    }

    /// The id of the label with this number in the legacy system.
    pub(super) async fn label(&mut self, kind: Kind, number: i64) -> Result<Uuid, DbError> {
        let known = match kind {
            Kind::Category => &mut self.categories,
            Kind::Tag => &mut self.tags,
        };
        match known.entry(number) {
            Entry::Occupied(found) => Ok(*found.get()),
            Entry::Vacant(missing) => Ok(*missing.insert(numbers::label(self.database, kind, number).await?)),
        }
    }

    /// The id of a category.
    pub(super) async fn category(&mut self, number: i64) -> Result<CategoryId, DbError> {
        self.label(Kind::Category, number).await.map(CategoryId::from)
    }

    /// The ids of tags.
    pub(super) async fn tags(&mut self, numbers: &[i64]) -> Result<Vec<TagId>, DbError> {
        let mut ids = Vec::with_capacity(numbers.len());
        for number in numbers {
            ids.push(self.label(Kind::Tag, *number).await?.into());
        }
        Ok(ids)
    }
}

/// What an event says about where its change comes from.
pub(super) fn origin(change: &LegacyChange) -> Option<Origin> {
    Some(Origin {
        event_id: change.event_id.clone(),
        at: change.at,
    })
}
