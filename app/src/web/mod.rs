//! Between axum and the pages: who asks in which language, forms, cookies, redirects, errors, and the rendering itself.
//!
//! Each page is a handler that first asks the services for what it shows and then renders once, synchronously; nothing is
//! streamed and nothing is sent twice.

mod cookies;
mod error;
mod form;
mod multipart;
mod query;
mod render;
mod req;
mod summary;
mod waiting;

pub use cookies::{FLASH, LOCALE, THEME, cookie, plain_cookie, set_cookie};
pub use error::{OrPage, PageError, missing};
pub use form::{Errors, Fields, Posted, PostedByAnybody};
pub use multipart::no_text;
pub use query::Query;
pub use render::{Assets, Page, fragment, page, plain_page};
pub use req::{AppState, Req, Theme, see_other};
pub use summary::summary;
pub use waiting::{Waiting, count};
