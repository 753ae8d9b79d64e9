//! Views and attributes that follow signals, in few types. Leptos compiles its code for each type of closure, view and event handler
//! again, which was a third of the page (decision 0048). What goes through these functions has one type.

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

/// What is done at an event.
pub(crate) fn does<E>(handler: impl FnMut(E) + 'static) -> Box<dyn FnMut(E)> {
    Box::new(handler)
}
