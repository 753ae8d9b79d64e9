//! What Nudge's tests share.
