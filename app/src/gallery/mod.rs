//! `/ui`: every component with its states, to look at in both themes and languages.

mod fields;
mod status;

use crate::ui::Head;
use crate::web::{AppState, Req, page};
use axum::response::Response;
use axum::{Router, routing::get};
use leptos::prelude::*;

pub fn routes() -> Router<AppState> {
    Router::new().route("/ui", get(gallery))
}

async fn gallery(req: Req) -> Response {
    let (t, now) = (req.t, req.now);
    page(
        req.page(t.gallery_title()),
        view! {
            <Head title=t.gallery_title() sub=t.gallery_sub() />
            <div class="gallery">
                {status::badges(t)} {status::messages(t)} {status::progress(t, now)} {status::pictures(t)}
                {fields::buttons(t)} {fields::inputs(t)} {fields::lists(t, now)}
            </div>
        },
    )
}
