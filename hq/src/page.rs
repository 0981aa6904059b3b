//! `GET /`: results and incidents on one plain page, in Spanish and English, without a script.

use crate::api::rfc3339;
use crate::incidents::IncidentsView;
use crate::places::AreaView;
use crate::problem::Problem;
use crate::results::{
    AttachmentsView, ResultsView, StandingView, TableState, TableView, WarningView,
};
use crate::serve::Shared;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use testigo_wire::{Language, Time};

/// How much of a code's text is shown, in characters.
const SHOWN: usize = 200;

#[derive(Deserialize)]
pub(crate) struct PageQuery {
    lang: Option<String>,
}

pub(crate) async fn get_page(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<PageQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = (query.ok()).and_then(|Query(query)| Language::from_tag(&query.lang?));
    let lang = (asked.or_else(|| accepted(&headers)))
        .or_else(|| shared.pack.language())
        .unwrap_or_default();
    let snapshot = shared.read(|reader| reader.snapshot()).await?;
    let copies = Copies {
        records: snapshot.counts.records,
        safe: snapshot.counts.safe,
        made_at: snapshot.counts.copy_made_at.map(rfc3339),
    };
    let page = Page {
        lang,
        copies,
        results: ResultsView::new(&shared.pack, &snapshot),
        incidents: IncidentsView::new(&shared.pack, &snapshot),
    };
    let html = page.render().map_err(|error| {
        tracing::error!(%error, "the page could not be written");
        Problem::STORE
    })?;
    let vary = [(header::VARY, "accept-language")];
    Ok((vary, Html(html)).into_response())
}

/// The first language of `Accept-Language` that the page has; browsers list them in order.
fn accepted(headers: &HeaderMap) -> Option<Language> {
    let tags = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    (tags
        .split(',')
        .filter_map(|tag| Language::from_tag(tag.trim())))
    .find(|language| *language != Language::Pt)
}

/// What lies elsewhere, too.
struct Copies {
    records: u64,
    safe: u64,
    made_at: Option<String>,
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    lang: Language,
    copies: Copies,
    results: ResultsView,
    incidents: IncidentsView,
}

impl Page {
    /// Spanish or English.
    fn t<'a>(&self, es: &'a str, en: &'a str) -> &'a str {
        self.lang.pick(es, en)
    }

    /// What is here of a line's files, and their numbers for `testigo hq blob`.
    fn files(&self, attachments: &AttachmentsView) -> Option<String> {
        if attachments.named == 0 {
            return None;
        }
        let (held, named) = (attachments.held, attachments.named);
        let here = (attachments.files.iter())
            .filter(|file| file.held)
            .map(|file| file.id.to_string())
            .collect::<Vec<_>>()
            .join(", ");
        let mut text = self.lang.pick(
            format!("Archivos recibidos: {held} de {named}"),
            format!("Attachments received: {held} of {named}"),
        );
        if held > 0 {
            text.push_str(
                &self
                    .lang
                    .pick(format!(" (n.º {here})"), format!(" (no. {here})")),
            );
        }
        if held < named {
            text.push_str(self.t("; los demás están en camino", "; the others are on the way"));
        }
        Some(text)
    }

    fn standing<'a>(&self, standing: &'a StandingView) -> &'a str {
        self.lang.pick(&standing.es, &standing.en)
    }

    fn sentence<'a>(&self, warning: &'a WarningView) -> &'a str {
        self.lang.pick(&warning.es, &warning.en)
    }

    /// With the language's separator of thousands.
    fn number(&self, n: &u64) -> String {
        self.lang.thousands(*n)
    }

    /// A share of the valid votes, to a tenth of a percent.
    fn percent(&self, votes: &u64) -> String {
        let tenths = self.tenths(votes);
        let point = self.lang.pick(',', '.');
        format!("{}{point}{}", tenths / 10, tenths % 10)
    }

    /// The same as the width of a bar.
    fn width(&self, votes: &u64) -> String {
        let tenths = self.tenths(votes);
        format!("{}.{}", tenths / 10, tenths % 10)
    }

    fn tenths(&self, votes: &u64) -> u128 {
        let all = u128::from(self.results.valid_votes.max(1));
        (u128::from(*votes) * 1000 + all / 2) / all
    }

    /// Candidates, the most votes first.
    fn ranking(&self) -> Vec<&crate::CandidateView> {
        let mut candidates: Vec<_> = self.results.candidates.iter().collect();
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.votes));
        candidates
    }

    fn tables_in(&self, state: TableState) -> impl Iterator<Item = &TableView> {
        self.results
            .rows
            .iter()
            .filter(move |row| row.state == state)
    }

    fn conflicts(&self) -> Vec<&TableView> {
        self.tables_in(TableState::Conflict).collect()
    }

    /// Tables with anything to show but a conflict.
    fn heard(&self) -> Vec<&TableView> {
        let heard = |row: &&TableView| {
            row.state != TableState::Conflict && (row.readings > 0 || row.waiting > 0)
        };
        self.results.rows.iter().filter(heard).collect()
    }

    /// By the clocks of the election, where its pack says what they show; otherwise in the offset that it came in.
    fn when(&self, rfc3339: &str) -> String {
        let Some(time) = Time::from_rfc3339(rfc3339) else {
            return rfc3339.to_owned();
        };
        let offset = self.results.election.utc_offset;
        let time = offset.map_or(time, |minutes| time.at_offset(minutes.into()));
        time.datetime().format("%Y-%m-%d %H:%M %:z").to_string()
    }

    /// The reported tables of an area as a share of all its tables, and the votes.
    fn votes_of(&self, area: &AreaView) -> String {
        let votes: Vec<String> = (area.votes.iter().filter(|votes| votes.votes > 0))
            .map(|votes| format!("{} {}", votes.code, self.number(&votes.votes)))
            .collect();
        votes.join(" · ")
    }

    /// The beginning of a code's text; the API has all of it.
    fn brief(&self, text: &str) -> String {
        match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text.to_owned(),
        }
    }

    fn has_votes(&self) -> bool {
        self.results.valid_votes > 0 || self.results.null_votes > 0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_first_language_that_the_page_has_is_taken() {
        for (asked, given) in [
            ("fr-FR, en;q=0.8, es;q=0.5", Some(Language::En)),
            ("es-VE,en", Some(Language::Es)),
            ("de", None),
            ("pt-BR,en", Some(Language::En)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(asked));
            assert_eq!(accepted(&headers), given, "{asked}");
        }
    }
}
