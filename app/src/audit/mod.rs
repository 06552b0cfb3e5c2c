//! `/audit`: who did what, newest first, filtered by the address, with what changed and the mark of the chain.

mod changes;
mod filter;
mod leaving;
mod table;

use crate::shell::Section;
use crate::ui::{Alert, Empty, Head, LinkButton, Tone};
use crate::web::{AppState, PageError, Req, page};
use axum::extract::State;
use axum::response::Response;
use axum::{Router, routing::get};
use filter::Filter;
use leptos::prelude::*;
use passerelle_contract::Page as Listing;
use passerelle_server::kernel::AppError;

pub fn routes() -> Router<AppState> {
    Router::new().route("/audit", get(show))
}

async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let filter = Filter::read(&req.query, t);
    let found = if filter.errors.is_empty() {
        app.portal.audit.list_events(&req.ctx, filter.wanted.clone()).await
    } else {
        Ok(Listing { items: Vec::new(), next_cursor: None, total: 0 })
    };
    let (listing, wrong) = match found {
        Ok(listing) => (listing, None),
        Err(error @ AppError::Invalid(_)) => {
            (Listing { items: Vec::new(), next_cursor: None, total: 0 }, Some(req.ctx.say(&error.detail())))
        }
        Err(error) => return Err(req.fail(error)),
    };
    let (csv, jsonl) = (filter.export("csv"), filter.export("jsonl"));
    let content = if listing.items.is_empty() {
        view! { <Empty icon="audit" title=t.audit_empty() text=t.audit_empty_text() /> }.into_any()
    } else {
        table::table(&req, listing).into_any()
    };
    let leaving = leaving::leaving(&app, &req).await?;
    Ok(page(
        req.page(t.audit_title()).section(Section::Audit),
        view! {
            <Head title=t.audit_title() sub=t.audit_sub()>
                <LinkButton href=csv label=t.export_csv() icon="import" of=t.export_label() />
                <LinkButton href=jsonl label=t.export_jsonl() icon="import" of=t.export_label() />
            </Head>
            {filter.form(&req)}
            {wrong.map(|text| view! { <div class="flash"><Alert tone=Tone::Bad>{text}</Alert></div> })}
            {content}
            {leaving}
        },
    ))
}
