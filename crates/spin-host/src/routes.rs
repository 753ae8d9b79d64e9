//! Routing of paths to components.

use crate::manifest::tables::HttpTrigger;

/// The routes of an application.
///
/// A route is `/exact`, `/with/:name` (one segment, captured) or `/prefix/...` (the prefix and everything below it). Exact
/// segments take precedence over captured ones, and those over the wildcard, compared from the left, so the most specific route
/// is used. A trailing slash does not matter. Of two equal routes the later one is used, as in Spin.
#[derive(Clone, Debug)]
pub struct Router {
    routes: Vec<Route>,
}

#[derive(Clone, Debug)]
struct Route {
    text: String,
    component: String,
    segments: Vec<Segment>,
    wildcard: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Exact(String),
    Named(String),
}

/// The route of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMatch<'router> {
    /// The component's id.
    pub component: &'router str,
    /// The route as written in the manifest.
    pub route: &'router str,
    /// The part that the wildcard matched: empty, or starting with a slash.
    pub path_info: String,
    /// The `:name` segments and their values.
    pub named: Vec<(&'router str, String)>,
}

/// An invalid route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("route {route:?} {problem}")]
pub struct RouteError {
    route: String,
    problem: &'static str,
}

impl Router {
    /// Parses the routes of the triggers.
    pub fn new<'a>(triggers: impl IntoIterator<Item = &'a HttpTrigger>) -> Result<Self, RouteError> {
        let mut routes: Vec<Route> = Vec::new();
        for trigger in triggers {
            let route = Route::parse(&trigger.route, &trigger.component)?;
            routes.retain(|other| !other.is_equivalent(&route));
            routes.push(route);
        }
        Ok(Self { routes })
    }

    /// The route for a request path (without query), or `None`.
    pub fn route(&self, path: &str) -> Option<RouteMatch<'_>> {
        let segments: Vec<&str> = segments(path).collect();
        let best = self
            .routes
            .iter()
            .filter(|route| route.matches(&segments))
            .max_by_key(|route| route.rank())?;
        let named = best
            .segments
            .iter()
            .zip(&segments)
            .filter_map(|(segment, value)| match segment {
                Segment::Named(name) => Some((name.as_str(), (*value).to_owned())),
                Segment::Exact(_) => None,
            });
        let below: String = segments
            .iter()
            .skip(best.segments.len())
            .flat_map(|segment| ["/", segment])
            .collect();
        let slash = if best.wildcard && path.ends_with('/') {
            "/"
        } else {
            ""
        };
        Some(RouteMatch {
            component: &best.component,
            route: &best.text,
            path_info: below + slash,
            named: named.collect(),
        })
    }

    /// The routes and their components, in the order of the manifest.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.routes
            .iter()
            .map(|route| (route.text.as_str(), route.component.as_str()))
    }
}

impl RouteMatch<'_> {
    /// The route without its wildcard, for the `spin-component-route` header.
    pub fn prefix(&self) -> &str {
        self.route.strip_suffix("/...").unwrap_or(self.route)
    }
}

impl Route {
    fn parse(text: &str, component: &str) -> Result<Self, RouteError> {
        let refuse = |problem| {
            Err(RouteError {
                route: text.to_owned(),
                problem,
            })
        };
        if !text.starts_with('/') {
            return refuse("does not start with a slash");
        }
        let (path, wildcard) = match text.strip_suffix("/...") {
            Some(path) => (path, true),
            None => (text, false),
        };
        if path.contains('*') || path.contains("...") {
            return refuse("has a wildcard that is not a trailing \"/...\"");
        }
        let segments: Vec<Segment> = segments(path)
            .map(|segment| match segment.strip_prefix(':') {
                Some(name) => Segment::Named(name.to_owned()),
                None => Segment::Exact(segment.to_owned()),
            })
            .collect();
        if segments.contains(&Segment::Named(String::new())) {
            return refuse("has a ':' without a name");
        }
        Ok(Self {
            text: text.to_owned(),
            component: component.to_owned(),
            segments,
            wildcard,
        })
    }

    fn matches(&self, path: &[&str]) -> bool {
        let enough = if self.wildcard {
            path.len() >= self.segments.len()
        } else {
            path.len() == self.segments.len()
        };
        enough
            && self
                .segments
                .iter()
                .zip(path)
                .all(|(segment, value)| match segment {
                    Segment::Exact(text) => text == value,
                    Segment::Named(_) => true,
                })
    }

    /// Greater is more specific: per segment exact (2), named (1); where a route has ended, 0.
    fn rank(&self) -> (Vec<u8>, bool) {
        let ranks = self.segments.iter().map(|segment| match segment {
            Segment::Exact(_) => 2,
            Segment::Named(_) => 1,
        });
        (ranks.collect(), !self.wildcard)
    }

    fn is_equivalent(&self, other: &Self) -> bool {
        self.segments == other.segments && self.wildcard == other.wildcard
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').filter(move |_| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[&str]) -> Result<Router, RouteError> {
        let triggers: Vec<HttpTrigger> = routes
            .iter()
            .map(|route| HttpTrigger {
                id: None,
                route: (*route).to_owned(),
                component: format!("for {route}"),
            })
            .collect();
        Router::new(&triggers)
    }

    fn check(routes: &[&str], path: &str) -> Option<(String, String)> {
        let router = router(routes).expect("routes that the test means to be valid");
        router
            .route(path)
            .map(|found| (found.route.to_owned(), found.path_info))
    }

    fn found(route: &str, path_info: &str) -> Option<(String, String)> {
        Some((route.to_owned(), path_info.to_owned()))
    }

    #[test]
    fn an_exact_route_matches_its_path_with_or_without_a_trailing_slash() {
        assert_eq!(check(&["/a/b"], "/a/b"), found("/a/b", ""));
        assert_eq!(check(&["/a/b"], "/a/b/"), found("/a/b", ""));
        assert_eq!(check(&["/a/b"], "/a"), None);
        assert_eq!(check(&["/a/b"], "/a/b/c"), None);
        assert_eq!(check(&["/"], "/"), found("/", ""));
    }

    #[test]
    fn a_wildcard_matches_its_prefix_and_everything_below() {
        assert_eq!(check(&["/a/..."], "/a"), found("/a/...", ""));
        assert_eq!(check(&["/a/..."], "/a/"), found("/a/...", "/"));
        assert_eq!(check(&["/a/..."], "/a/b/c"), found("/a/...", "/b/c"));
        assert_eq!(check(&["/a/..."], "/a/b/"), found("/a/...", "/b/"));
        assert_eq!(check(&["/a/..."], "/ab"), None);
        assert_eq!(check(&["/..."], "/"), found("/...", "/"));
    }

    #[test]
    fn the_most_specific_route_wins_whatever_the_order() {
        let routes = ["/...", "/a/...", "/a/:id", "/a/b", "/a/b/..."];
        assert_eq!(check(&routes, "/a/b"), found("/a/b", ""));
        assert_eq!(check(&routes, "/a/c"), found("/a/:id", ""));
        assert_eq!(check(&routes, "/a/b/c"), found("/a/b/...", "/c"));
        assert_eq!(check(&routes, "/a/c/d"), found("/a/...", "/c/d"));
        assert_eq!(check(&routes, "/z"), found("/...", "/z"));
    }

    #[test]
    fn named_segments_are_captured() {
        let router = router(&["/users/:user/..."]).expect("a valid route");
        let found = router.route("/users/42/tasks").expect("a match");
        assert_eq!(found.named, vec![("user", "42".to_owned())]);
        assert_eq!(found.path_info, "/tasks");
        assert_eq!(found.prefix(), "/users/:user");
    }

    #[test]
    fn the_later_of_two_equal_routes_is_used() {
        let triggers = ["one", "two"].map(|component| HttpTrigger {
            id: None,
            route: "/a".into(),
            component: component.into(),
        });
        let router = Router::new(&triggers).expect("valid routes");
        assert_eq!(router.route("/a").map(|found| found.component), Some("two"));
    }

    #[test]
    fn a_wildcard_in_the_middle_and_a_relative_route_are_refused() {
        for route in ["a", "/a/.../b", "/a/*", "/:"] {
            assert!(router(&[route]).is_err(), "{route}");
        }
    }
}
