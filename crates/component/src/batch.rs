//! Handlers of batches: some events of a batch may be unreadable, and each gets a result of its own.

use crate::events::Disposition;

/// Calls `handle` with what could be read, and returns one result per event, in order: what could not be read keeps its
/// disposition. `handle` returns its results in the order of its events; one that it leaves out is delivered again.
pub async fn handle<T, F>(
    events: Vec<Result<T, Disposition>>,
    handle: impl FnOnce(Vec<T>) -> F,
) -> Vec<Result<(), Disposition>>
where
    F: Future<Output = Vec<Result<(), Disposition>>>,
{
    let mut readable = Vec::new();
    let mut unreadable = Vec::new();
    for event in events {
        match event {
            Ok(event) => {
                readable.push(event);
                unreadable.push(None);
            }
            Err(disposition) => unreadable.push(Some(disposition)),
        }
    }
    let handled = if readable.is_empty() {
        Vec::new()
    } else {
        handle(readable).await
    };
    let mut handled = handled.into_iter();
    let results = unreadable.into_iter().map(|disposition| match disposition {
        Some(disposition) => Err(disposition),
        None => handled.next().unwrap_or_else(|| {
            Err(Disposition::Retry(
                "the handler returned no result for it".to_owned(),
            ))
        }),
    });
    results.collect()
}

/// [`handle`] for events of the WIT package, which are converted to those of the contract first.
pub async fn convert<W, T, F>(events: Vec<W>, to: impl FnOnce(Vec<T>) -> F) -> Vec<Result<(), Disposition>>
where
    T: TryFrom<W, Error = Disposition>,
    F: Future<Output = Vec<Result<(), Disposition>>>,
{
    handle(events.into_iter().map(T::try_from).collect(), to).await
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// The results of a future that is ready.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it waits for nothing"),
        }
    }

    fn dropped(reason: &str) -> Disposition {
        Disposition::Drop(reason.to_owned())
    }

    fn said(results: Vec<Result<(), Disposition>>) -> Vec<String> {
        let said = results.into_iter().map(|result| match result {
            Ok(()) => "done".to_owned(),
            Err(Disposition::Retry(reason)) => format!("retry: {reason}"),
            Err(Disposition::Drop(reason)) => format!("drop: {reason}"),
        });
        said.collect()
    }

    #[test]
    fn every_event_gets_its_own_result() {
        let events = vec![Err(dropped("first")), Ok(1), Err(dropped("third")), Ok(2)];
        let results = handle(events, |events| {
            assert_eq!(events, [1, 2]);
            ready(vec![Err(Disposition::Retry("busy".to_owned())), Ok(())])
        });
        assert_eq!(
            said(now(results)),
            ["drop: first", "retry: busy", "drop: third", "done"]
        );
    }

    #[test]
    fn an_event_without_a_result_is_delivered_again() {
        let results = handle(vec![Ok(1), Ok(2)], |_| ready(vec![Ok(())]));
        assert_eq!(
            said(now(results)),
            ["done", "retry: the handler returned no result for it"]
        );
    }

    #[test]
    fn a_handler_is_not_called_without_events() {
        let mut called = false;
        let results = handle(vec![Err::<u8, _>(dropped("all"))], |_| {
            called = true;
            ready(Vec::new())
        });
        assert_eq!(said(now(results)), ["drop: all"]);
        assert!(!called);
    }
}
