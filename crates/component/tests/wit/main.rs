//! The WIT package beside the contract.

#[cfg(test)]
mod events;
