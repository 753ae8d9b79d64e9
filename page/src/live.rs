//! Changes that were made elsewhere.

use crate::store::Store;

/// Shows changes of other windows, of agents and of links in emails as they happen.
pub(crate) fn follow(_store: Store) {}
