//! What a look at a service's repository tells: practices, files with their boxes, answers that were found.

use super::adopt::box_of;
use crate::i18n::T;
use crate::ui::{Alert, Check, Hidden, Status, Tone};
use leptos::prelude::*;
use passerelle_contract::adoption::{AdoptionFile, AdoptionOut, FoundAnswer, PracticeOut, Standing};

const fn look_of(standing: Standing) -> (Tone, &'static str) {
    match standing {
        Standing::There => (Tone::Ok, "ok"),
        Standing::Missing => (Tone::Bad, "bad"),
        Standing::Differs => (Tone::Warn, "warn"),
    }
}

pub fn draw(t: T, out: &AdoptionOut) -> AnyView {
    let known = out.service.clone().filter(|_| out.known).map(|service| {
        let words = t.adopt_known(&service);
        view! {
            <Alert tone=Tone::Off title=service>
                <p>{words}</p>
            </Alert>
        }
    });
    let practices = out.practices.iter().map(|one| practice(t, one)).collect::<Vec<_>>();
    let listed = (!out.practices.is_empty()).then(|| {
        view! {
            <section class="panel">
                <h2>{t.adopt_practices()}</h2>
                <ul class="tree">{practices}</ul>
            </section>
        }
    });
    view! {
        {known}
        {listed}
        {found(t, &out.found)}
        {files(t, &out.files)}
    }
    .into_any()
}

fn practice(t: T, one: &PracticeOut) -> AnyView {
    let (tone, icon) = look_of(one.standing);
    let brought = (one.standing != Standing::There).then(|| t.adopt_brought_by(one.brought_by.join(", ")));
    let message = one.message.as_ref().map(ToString::to_string);
    let words: Vec<String> = one.path.clone().into_iter().chain(message).chain(brought).collect();
    view! {
        <li>
            <Status tone=tone icon=icon word=t.standing(one.standing) /> " " {t.practice(one.practice)}
            <div class="muted break">{words.join(" · ")}</div>
        </li>
    }
    .into_any()
}

fn found(t: T, all: &[FoundAnswer]) -> Option<AnyView> {
    if all.is_empty() {
        return None;
    }
    let lines = all
        .iter()
        .map(|one| {
            let value = one.value.as_str().map_or_else(|| one.value.to_string(), str::to_owned);
            view! {
                <dt class="mono break">{one.parameter.clone()}</dt>
                <dd class="break">{value} <span class="muted">" · " {one.told_by.clone()}</span></dd>
            }
        })
        .collect::<Vec<_>>();
    let view = view! {
        <section class="panel">
            <h2>{t.adopt_found()}</h2>
            <dl class="dl">{lines}</dl>
        </section>
    };
    Some(view.into_any())
}

fn files(t: T, all: &[AdoptionFile]) -> Option<AnyView> {
    if all.is_empty() {
        return None;
    }
    let open: Vec<&AdoptionFile> = all.iter().filter(|file| file.standing != Standing::There).collect();
    let listed: Vec<&str> = open.iter().map(|file| file.path.as_str()).collect();
    let same = all.len() - open.len();
    let (code, others): (Vec<&AdoptionFile>, Vec<&AdoptionFile>) = open.into_iter().partition(|file| file.code);
    let of_code = u64::try_from(code.len()).unwrap_or(u64::MAX);
    let ticked = code.iter().any(|file| file.chosen);
    let rows = |files: Vec<&AdoptionFile>| files.into_iter().map(|file| line(t, file)).collect::<Vec<_>>();
    let same =
        (same > 0).then(|| view! { <p class="muted">{t.adopt_same(u64::try_from(same).unwrap_or(u64::MAX))}</p> });
    let code = (of_code > 0).then(|| {
        view! {
            <details class="disclose mt-3" open=ticked>
                <summary>{t.adopt_code(of_code)}</summary>
                <p class="muted">{t.adopt_code_text()}</p>
                <ul class="tree">{rows(code)}</ul>
            </details>
        }
    });
    let view = view! {
        <section class="panel">
            <h2>{t.adopt_files()}</h2>
            <p class="muted mb-3">{t.adopt_files_text()}</p>
            // A path holds no space.
            <Hidden name="listed" value=listed.join(" ") />
            <ul class="tree">{rows(others)}</ul>
            {code}
            {same}
        </section>
    };
    Some(view.into_any())
}

fn line(t: T, file: &AdoptionFile) -> AnyView {
    let (tone, icon) = look_of(file.standing);
    view! {
        <li>
            <Check name=box_of(&file.path) label=file.path.clone() checked=file.chosen />
            <Status tone=tone icon=icon word=t.standing(file.standing) />
            <details class="disclose">
                <summary>{t.adopt_difference()} <span class="vh">" " {file.path.clone()}</span></summary>
                <pre class="log" tabindex="0" role="region" aria-label=file.path.clone()>{file.difference.clone()}</pre>
            </details>
        </li>
    }
    .into_any()
}
