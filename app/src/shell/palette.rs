//! The command palette (Ctrl/Cmd-K): finds services, objectives, pages and acts while one types.
//!
//! Without a script the search field in the header does the finding: it is a plain form.
#![expect(clippy::too_many_lines, reason = "one dialog: its signals and its markup belong together")]

use super::Section;
use crate::i18n::T;
use crate::ui::Icon;
use leptos::ev;
use leptos::prelude::*;

/// Something one can choose.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hit {
    href: String,
    text: String,
    kind: &'static str,
    icon: &'static str,
}

fn page_hits(t: T, words: &str) -> Vec<Hit> {
    let sections = Section::MAIN.into_iter().chain(Section::OPERATE);
    let all = sections.map(|s| Hit {
        href: s.href().to_owned(),
        text: s.text(t).to_owned(),
        kind: t.palette_go(),
        icon: s.icon(),
    });
    all.filter(|hit| words.split_whitespace().all(|word| hit.text.to_lowercase().contains(word))).collect()
}

#[cfg(feature = "hydrate")]
fn service_hits(t: T, words: &str, keys: &[String]) -> Vec<Hit> {
    let act = |verb: &str| words.split_whitespace().any(|word| word.len() > 2 && verb.to_lowercase().starts_with(word));
    let (deploy, back) = (act(t.act_deploy()), act(t.act_roll_back()));
    let mut hits = Vec::new();
    for key in keys {
        if deploy {
            let text = t.palette_deploy(key);
            hits.push(Hit { href: format!("/services/{key}/deploy"), text, kind: t.act_deploy(), icon: "deploy" });
        }
        if back {
            let text = t.palette_roll_back(key);
            hits.push(Hit { href: format!("/services/{key}/rollback"), text, kind: t.act_roll_back(), icon: "back" });
        }
        let text = key.clone();
        hits.push(Hit { href: format!("/services/{key}"), text, kind: t.palette_service(), icon: "service" });
    }
    hits
}

/// Of an objective and its service.
#[cfg(feature = "hydrate")]
fn slo_hit(t: T, found: FoundSlo) -> Hit {
    let FoundSlo { id, title, service } = found;
    Hit { href: format!("/slos/{id}"), text: format!("{title} · {service}"), kind: t.palette_slo(), icon: "budget" }
}

#[cfg(feature = "hydrate")]
#[derive(serde::Deserialize)]
struct FoundService {
    key: String,
}

#[cfg(feature = "hydrate")]
#[derive(serde::Deserialize)]
struct FoundSlo {
    id: String,
    title: String,
    service: String,
}

/// The words to search with: without the verb of an act.
#[cfg(feature = "hydrate")]
fn object_words(t: T, words: &str) -> String {
    let verbs = format!("{} {}", t.act_deploy(), t.act_roll_back()).to_lowercase();
    let is_verb = |word: &&str| word.len() > 2 && verbs.split(' ').any(|verb| verb.starts_with(*word));
    words.split_whitespace().filter(|word| !is_verb(word)).collect::<Vec<_>>().join(" ")
}

/// The dialog; `public/app.js` opens it.
#[island]
pub fn Palette(t: T) -> impl IntoView {
    let (words, set_words) = signal(String::new());
    let (found, set_found) = signal(Vec::<Hit>::new());
    let (failed, set_failed) = signal(false);
    let (chosen, set_chosen) = signal(0_usize);
    Effect::new(move |_| search(t, words.get(), words, set_found, set_failed));
    let hits = move || {
        let mut hits = found.get();
        hits.extend(page_hits(t, &words.get().to_lowercase()));
        hits
    };
    let step = move |by: isize| {
        let count = hits().len().max(1) as isize;
        set_chosen.update(|now| *now = (*now as isize + by).rem_euclid(count) as usize);
    };
    let on_key = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "ArrowDown" => {
            event.prevent_default();
            step(1);
        }
        "ArrowUp" => {
            event.prevent_default();
            step(-1);
        }
        "Enter" => {
            event.prevent_default();
            if let Some(hit) = hits().get(chosen.get_untracked()) {
                open(&hit.href);
            }
        }
        _ => {}
    };
    let rows = move || {
        let now = chosen.get();
        hits().into_iter().enumerate().map(|(index, hit)| row(index, index == now, hit)).collect::<Vec<_>>()
    };
    let said = move || {
        if failed.get() {
            return t.palette_failed().to_owned();
        }
        let count = hits().len() as u64;
        if count == 0 { t.palette_none().to_owned() } else { t.palette_results(count) }
    };
    view! {
        <dialog class="palette" id="palette" aria-label=t.palette_title()>
            <div class="ask">
                <Icon name="search" size=16 />
                <input
                    type="text"
                    role="combobox"
                    aria-expanded="true"
                    aria-controls="palette-hits"
                    aria-label=t.palette_title()
                    aria-activedescendant=move || format!("hit-{}", chosen.get())
                    autocomplete="off"
                    spellcheck="false"
                    placeholder=t.palette_placeholder()
                    prop:value=words
                    on:input:target=move |event| {
                        set_chosen.set(0);
                        set_words.set(event.target().value());
                    }
                    on:keydown=on_key
                />
                <kbd aria-hidden="true">"Esc"</kbd>
            </div>
            <div class="hits" id="palette-hits" role="listbox" aria-label=t.palette_title()>
                {rows}
            </div>
            <div class="tip">
                <span role="status">{said}</span>
                <span style="margin-left:auto">{t.palette_keys()}</span>
            </div>
        </dialog>
    }
}

fn row(index: usize, selected: bool, hit: Hit) -> impl IntoView {
    view! {
        <a class="hit" role="option" tabindex="-1" id=format!("hit-{index}") aria-selected=selected.to_string() href=hit.href>
            <Icon name=hit.icon size=16 />
            <span>{hit.text}</span>
            <span class="k">{hit.kind}</span>
        </a>
    }
}

#[cfg(feature = "hydrate")]
fn open(href: &str) {
    crate::browser::go(href);
}

#[cfg(not(feature = "hydrate"))]
const fn open(_href: &str) {}

/// Asks the API while one types; an answer that comes after newer words is dropped.
#[cfg(feature = "hydrate")]
fn search(t: T, now: String, words: ReadSignal<String>, hits: WriteSignal<Vec<Hit>>, failed: WriteSignal<bool>) {
    use passerelle_contract::Page;

    let lower = now.to_lowercase();
    let asked = object_words(t, &lower);
    if asked.is_empty() {
        hits.set(Vec::new());
        return;
    }
    leptos::task::spawn_local(async move {
        crate::browser::wait_ms(90).await;
        if words.get_untracked() != now {
            return;
        }
        let asked = crate::browser::encode(&asked);
        let services =
            crate::browser::get_json::<Page<FoundService>>(&format!("/api/v1/services?limit=8&q={asked}")).await;
        let slos =
            crate::browser::get_json::<Page<FoundSlo>>(&format!("/api/v1/slos?limit=5&sort=name&q={asked}")).await;
        if words.get_untracked() != now {
            return;
        }
        failed.set(services.is_none() || slos.is_none());
        let keys: Vec<String> =
            services.map(|page| page.items).unwrap_or_default().into_iter().map(|f| f.key).collect();
        let slos = slos.map(|page| page.items).unwrap_or_default().into_iter().map(|found| slo_hit(t, found));
        hits.set(service_hits(t, &lower, &keys).into_iter().chain(slos).collect());
    });
}

/// On the server nothing is searched: the effect never runs there.
#[cfg(not(feature = "hydrate"))]
fn search(_: T, _: String, _: ReadSignal<String>, _: WriteSignal<Vec<Hit>>, _: WriteSignal<bool>) {}
