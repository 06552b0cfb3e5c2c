//! Where rows of the audit go: streams to collectors elsewhere, and archives of old rows.

use crate::i18n::T;
use crate::ui::{Ago, Columns, Status, Table, Tone};
use crate::web::{AppState, PageError, Req};
use leptos::prelude::*;
use passerelle_contract::audit::{ArchiveOut, AuditStreamOut};
use passerelle_server::kernel::AppError;
use time::OffsetDateTime;

/// Both, for those who may read the whole audit; nothing for others, and where neither is set up.
pub async fn leaving(app: &AppState, req: &Req) -> Result<impl IntoView + use<>, PageError> {
    let audit = &app.portal.audit;
    let found = match (audit.streams(&req.ctx).await, audit.archives(&req.ctx).await) {
        (Ok(streams), Ok(archives)) => (streams, archives),
        (Err(AppError::Forbidden(_)), _) | (_, Err(AppError::Forbidden(_))) => (Vec::new(), Vec::new()),
        (Err(error), _) | (_, Err(error)) => return Err(req.fail(error)),
    };
    let (streams, archives) = found;
    let t = req.t;
    let streams = (!streams.is_empty()).then(|| table(req, streams));
    let archives = archives.first().map(|newest| archived(t, newest, archives.len()));
    Ok((streams.is_some() || archives.is_some()).then(|| view! { <div class="stack mt-6">{streams} {archives}</div> }))
}

fn table(req: &Req, streams: Vec<AuditStreamOut>) -> impl IntoView + use<> {
    let t = req.t;
    let now = OffsetDateTime::now_utc();
    let rows = streams
        .into_iter()
        .map(|stream| {
            let why = stream.failure.as_ref().map(|why| req.ctx.say(why));
            let (tone, word) = match (&why, stream.waiting) {
                (Some(_), _) => (Tone::Bad, t.stream_failing()),
                (None, 0) => (Tone::Ok, t.stream_up_to_date()),
                (None, _) => (Tone::Run, t.stream_under_way()),
            };
            let since = stream.failing_since.or(stream.sent_at);
            view! {
                <tr>
                    <td class="mono">{stream.id}</td>
                    <td class="break">
                        <Status tone=tone word=word />
                        {since
                            .map(|at| {
                                view! {
                                    <div class="under">
                                        <Ago t=t at=at now=now />
                                    </div>
                                }
                            })}
                        {why.map(|why| view! { <div class="under">{why}</div> })}
                    </td>
                    <td class="break">{stream.to}</td>
                    <td class="mono">{stream.format}</td>
                    <td class="num">{t.number(stream.waiting.unsigned_abs())}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    let columns = Columns::of([t.col_stream(), t.col_stream_state(), t.col_stream_to(), t.col_stream_format()])
        .numbers([t.col_stream_waiting()]);
    view! {
        <section class="stack">
            <h2>{t.streams_title()}</h2>
            <Table label=t.streams_title() columns=columns>
                {rows}
            </Table>
        </section>
    }
}

fn archived(t: T, newest: &ArchiveOut, count: usize) -> impl IntoView + use<> {
    let last = t.number(newest.last.unsigned_abs());
    let count = t.number(u64::try_from(count).unwrap_or(u64::MAX));
    view! { <p class="under">{t.audit_archived(&last, &count)}</p> }
}
