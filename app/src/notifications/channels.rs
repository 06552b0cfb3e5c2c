//! `/notifications`: the channels, and trying them.

use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Ago, ButtonKind, Columns, Empty, Flash, Head, Hidden, LinkButton, Status, Submit, Table, Tone};
use crate::web::{AppState, OrPage, PageError, Posted, Req, page, see_other};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::notifications::{ChannelKindOut, ChannelOut, Language};

/// A cookie holds 4 kB.
const SHOWN_ANSWER: usize = 800;

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let channels = app.portal.notifications.list_channels(&req.ctx).await.or_page(&req)?;
    let kinds = app.portal.notifications.channel_kinds(req.ctx.locale);
    let may = super::may_edit(&req.ctx).allowed;
    let new = move || {
        may.then(|| {
            view! { <LinkButton href="/notifications/channels/new" label=t.channel_new() kind=ButtonKind::Primary /> }
        })
    };
    let content = if channels.is_empty() {
        view! {
            <Empty icon="bell" title=t.channels_empty() text=t.channels_empty_text()>
                {new()}
            </Empty>
        }
        .into_any()
    } else {
        let rows = channels.into_iter().map(|channel| row(&req, &kinds, channel, may)).collect::<Vec<_>>();
        view! {
            <Table label=t.notify_channels() columns=Columns::of([t.col_name(), t.col_kind(), t.col_state(), t.col_language()]).numbers([t.col_rules()]).and([t.col_updated()]).acts(t.channel_test())>{rows}</Table>
        }
        .into_any()
    };
    Ok(page(
        req.page(t.notify_title()).section(Section::Notifications),
        view! {
            <Head title=t.notify_title() sub=t.notify_channels_sub()>
                {new()}
            </Head>
            {super::tabs(&req, "/notifications")}
            {content}
        },
    ))
}

/// The title of a kind; one that this version does not know is shown as it is stored.
pub fn kind_title(kinds: &[ChannelKindOut], kind: &str) -> String {
    kinds.iter().find(|known| known.kind == kind).map_or_else(|| kind.to_owned(), |known| known.title.clone())
}

/// Each language in its own words.
pub const fn language(language: Language) -> &'static str {
    match language {
        Language::En => "English",
        Language::Fr => "français",
    }
}

fn state(t: T, enabled: bool) -> impl IntoView {
    if enabled {
        view! { <Status tone=Tone::Ok icon="ok" word=t.channel_on() /> }
    } else {
        view! { <Status tone=Tone::Off icon="hold" word=t.channel_off() /> }
    }
}

fn row(req: &Req, kinds: &[ChannelKindOut], channel: ChannelOut, may: bool) -> impl IntoView + use<> {
    let t = req.t;
    let href = format!("/notifications/channels/{}", channel.name);
    let test = may.then(|| {
        view! {
            <form method="post" action=format!("{href}/test")>
                <Hidden name="csrf" value=req.ctx.csrf_token() />
                <Submit label=t.channel_test() kind=ButtonKind::Small of=channel.name.clone() />
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row">
                <a class="svc" href=href>
                    {channel.name.clone()}
                </a>
            </th>
            <td>{kind_title(kinds, &channel.kind)}</td>
            <td class="nowrap">{state(t, channel.enabled)}</td>
            <td lang=channel.language.as_str()>{language(channel.language)}</td>
            <td class="num">{t.number(u64::from(channel.rules))}</td>
            <td>
                <Ago t=t at=channel.updated_at now=req.now />
            </td>
            <td class="tight">{test}</td>
        </tr>
    }
}

/// Sends a test message and comes back with what was answered.
pub async fn test(
    State(app): State<AppState>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let (req, t) = (&posted.req, posted.req.t);
    let test = app.portal.notifications.test_channel(&req.ctx, &name).await.or_page(req)?;
    let answer: String = test.answer.chars().take(SHOWN_ANSWER).collect();
    let text = if test.delivered {
        t.channel_test_ok(&name, answer, test.duration_ms)
    } else {
        t.channel_test_bad(&name, answer)
    };
    let back = posted.fields.some("next").unwrap_or_else(|| "/notifications".to_owned());
    Ok(see_other(&back, Some(Flash { ok: test.delivered, text })))
}
