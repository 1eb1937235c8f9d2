//! The page at `/` and the 404 responses, which both list the paths of a server.

use std::fmt::Write as _;

use axum::Router;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// The paths of a server.
#[derive(Debug, Clone, Copy)]
pub struct Index {
    /// The name of the server.
    pub title: &'static str,
    /// Paths, and their descriptions.
    pub paths: &'static [(&'static str, &'static str)],
}

impl Index {
    /// The index of metrics and health of a server.
    #[must_use]
    pub const fn of_metrics(title: &'static str) -> Self {
        let paths = &[
            ("/metrics", "metrics for Prometheus: OpenMetrics, or its text format"),
            ("/livez", "200 while the process answers"),
            ("/readyz", "200 if there is no problem, else 503 and the reason"),
        ];
        Self { title, paths }
    }

    /// The routes with a page at `/`, in HTML for browsers, and the list at all other paths.
    pub fn on<S: Clone + Send + Sync + 'static>(self, routes: Router<S>) -> Router<S> {
        routes
            .route("/", get(async move |request: HeaderMap| self.page(&request)))
            .fallback(async move |uri: Uri| self.nothing_at(uri.path()))
    }

    fn page(&self, request: &HeaderMap) -> Response {
        let accepted = request.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        match accepted.into_iter().any(|accepted| accepted.contains("text/html")) {
            true => ([(CONTENT_TYPE, "text/html; charset=utf-8")], self.html()).into_response(),
            false => format!("{}\n\n{}", self.title, self.list()).into_response(),
        }
    }

    fn nothing_at(&self, path: &str) -> (StatusCode, String) {
        let answer = format!("there is nothing at {path}; these are the paths:\n\n{}", self.list());
        (StatusCode::NOT_FOUND, answer)
    }

    fn list(&self) -> String {
        let width = self.paths.iter().map(|(path, _)| path.len()).max().unwrap_or_default();
        self.paths.iter().fold(String::new(), |mut list, (path, words)| {
            let _ = writeln!(list, "{path:width$}  {words}");
            list
        })
    }

    /// The page in HTML, without links for paths with placeholders.
    fn html(&self) -> String {
        let title = self.title;
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
             <h1>{title}</h1>\n<dl>\n"
        );
        for (path, words) in self.paths {
            let _ = match path.starts_with('/') {
                true => writeln!(html, "<dt><a href=\"{path}\">{path}</a><dd>{words}"),
                false => writeln!(html, "<dt>{path}<dd>{words}"),
            };
        }
        html.push_str("</dl>\n</html>\n");
        html
    }
}
