//! CloudEvents as Dapr delivers them: no bytes panic, and an event that is understood is the same when it is written and read
//! again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nudge_contract::event::{
    CloudEvent, DeliveryOutcome, Payload, RejectedEvent, ReminderDue, SCHEMA_VERSION, TaskEvent, TaskUpdate,
};

fuzz_target!(|data: &[u8]| {
    let understood = [
        read::<TaskEvent>(data),
        read::<TaskUpdate>(data),
        read::<ReminderDue>(data),
        read::<DeliveryOutcome>(data),
        read::<RejectedEvent>(data),
    ];
    assert!(
        understood.into_iter().filter(|understood| *understood).count() <= 1,
        "an event has one type"
    );
});

/// Whether it is an event with that payload.
fn read<T: Payload + PartialEq + std::fmt::Debug>(data: &[u8]) -> bool {
    let Ok(event) = CloudEvent::parse::<T>(data) else {
        return false;
    };
    assert_eq!(event.specversion, "1.0");
    assert_eq!(event.data.schema_version(), SCHEMA_VERSION);
    assert_eq!(event.r#type, event.data.event_type());
    let written = serde_json::to_vec(&event).expect("it can be written");
    let again = CloudEvent::parse::<T>(&written).expect("what was written is read again");
    assert_eq!(again, event);
    true
}
