//! A real webhook over TLS, with an API server that is of the tests.

mod api_server;
mod certificates;
mod connections;
mod hostile_reviews;
mod reviews;
mod server;
mod slow_clients;
