//! Views and attributes that follow signals, in few types. Leptos' code is compiled again for each type of closure, view and event
//! handler, and a browser loads all of it (decision 0048). What goes through these functions has one type.

use std::sync::{Arc, Mutex};

use leptos::prelude::*;

/// A part of a view of which the type is forgotten.
pub(crate) trait Piece {
    /// Forgets the type.
    fn piece(self) -> AnyView;
}

impl<T: IntoView + RenderHtml + Send + 'static> Piece for View<T> {
    fn piece(self) -> AnyView {
        self.into_inner().into_any()
    }
}

impl Piece for AnyView {
    fn piece(self) -> AnyView {
        self
    }
}

impl<P: Piece> Piece for Option<P> {
    fn piece(self) -> AnyView {
        self.map(Piece::piece).into_any()
    }
}

impl<P: Piece> Piece for Vec<P> {
    fn piece(self) -> AnyView {
        self.into_iter().map(Piece::piece).collect::<Vec<_>>().into_any()
    }
}

impl Piece for String {
    fn piece(self) -> AnyView {
        self.into_any()
    }
}

impl Piece for &'static str {
    fn piece(self) -> AnyView {
        self.into_any()
    }
}

impl Piece for () {
    fn piece(self) -> AnyView {
        ().into_any()
    }
}

impl Piece for usize {
    fn piece(self) -> AnyView {
        self.into_any()
    }
}

/// A part of a view that is made again when a signal changes that it reads.
pub(crate) fn dynamic<P: Piece>(mut view: impl FnMut() -> P + Send + 'static) -> AnyView {
    boxed(Box::new(move || view().piece()))
}

#[inline(never)]
fn boxed(view: Box<dyn FnMut() -> AnyView + Send>) -> AnyView {
    view.into_any()
}

/// An attribute, a property or a class that follows signals.
pub(crate) fn follows<T>(value: impl FnMut() -> T + Send + 'static) -> Arc<Mutex<dyn FnMut() -> T + Send>> {
    Arc::new(Mutex::new(value))
}

/// A view that is shown while a condition holds.
pub(crate) fn shown<P: Piece>(
    when: impl Fn() -> bool + Send + Sync + 'static,
    view: impl Fn() -> P + Send + 'static,
) -> AnyView {
    let when = memo(move |_| when());
    boxed(Box::new(move || when.get().then(|| view().piece()).into_any()))
}

/// A view for each of some items. One with the same key as before is kept.
pub(crate) fn each<T: Send + 'static>(
    items: impl Fn() -> Vec<T> + Send + 'static,
    key: fn(&T) -> u128,
    view: impl Fn(T) -> AnyView + Send + Sync + 'static,
) -> AnyView {
    let view = Arc::new(view);
    keyed(Box::new(move || {
        let mut made: Vec<(u128, Make)> = Vec::new();
        for item in items() {
            let (key, view) = (key(&item), view.clone());
            made.push((key, Box::new(move || view(item))));
        }
        made
    }))
}

type Make = Box<dyn FnOnce() -> AnyView + Send>;

fn keyed(items: Box<dyn Fn() -> Vec<(u128, Make)> + Send>) -> AnyView {
    view! { <For each=items key=|(key, _): &(u128, Make)| *key children=|(_, make): (u128, Make)| make()/> }
        .into_any()
}

/// What is done at an event.
pub(crate) fn does<E>(handler: impl FnMut(E) + 'static) -> Box<dyn FnMut(E)> {
    Box::new(handler)
}

/// Runs something again when a signal changes that it reads. It gets what it returned the time before.
pub(crate) fn effect<T: 'static>(run: impl FnMut(Option<T>) -> T + 'static) {
    let run: Box<dyn FnMut(Option<T>) -> T> = Box::new(run);
    Effect::new(run);
}

/// Computes a value from the one before.
type Boxed<T> = Box<dyn Fn(Option<&T>) -> T + Send + Sync>;

/// A value that is computed again when a signal changes that it reads, and that tells who reads it only if it differs.
pub(crate) fn memo<T>(value: impl Fn(Option<&T>) -> T + Send + Sync + 'static) -> Memo<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    let value: Boxed<T> = Box::new(value);
    Memo::new(value)
}
