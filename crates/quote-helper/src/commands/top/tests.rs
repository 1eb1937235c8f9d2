//! Tests from metrics to the screen.

use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::widgets::Widget;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::endpoint::{Readiness, Scrape};
use super::palette::Palette;
use super::samples::Samples;
use super::screen::Screen;
use super::view::View;

const BEFORE: &str = include_str!("tests/before.txt");
const NOW: &str = include_str!("tests/now.txt");

/// Two scrapes, two seconds apart.
fn answers(before: &str, now: &str) -> (Scrape, Scrape) {
    let answer = |text, at| Scrape {
        at,
        samples: Samples::parse(text).unwrap(),
        readiness: Readiness::NotReady("no canary quote within 3 s".to_owned()),
    };
    let begin = Instant::now();
    let later = begin.checked_add(Duration::from_secs(2)).unwrap();
    (answer(before, begin), answer(now, later))
}

fn view(before: &str, now: &str) -> View {
    let time = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
    let (before, now) = answers(before, now);
    View::of("127.0.0.1:17490".to_owned(), time, Some(&before), &now)
}

fn service(view: &View) -> Value {
    serde_json::to_value(view).unwrap()["service"].take()
}

/// The screen of a terminal of this size.
fn screen(view: &View, columns: u16, lines: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, lines)).unwrap();
    let palette = Palette::of_user();
    terminal.draw(|frame| frame.render_widget(&Screen { view, palette }, frame.area())).unwrap();
    let cells = terminal.backend().buffer().content().chunks(columns.into());
    let lines = cells.map(|line| line.iter().map(Cell::symbol).collect::<String>());
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn rates_and_latencies_are_those_between_two_answers() {
    let service = service(&view(BEFORE, NOW));
    assert_eq!(service["seconds"], 2.0);
    assert_eq!(service["restarted"], false);
    let quotes = &service["requests"][0];
    assert_eq!(quotes["operation"], "GetQuoteEx");
    assert_eq!(quotes["total"], 401);
    assert_eq!(quotes["new"], 301);
    assert_eq!(quotes["per_second"], 150.5);
    // 200 of 301 are in the second bucket, 96 more in the third, 4 in the fourth, and 1 is longer
    // than all bounds.
    assert_eq!(
        quotes["latency"]["p50"],
        json!({ "above_seconds": 1.6e-5, "up_to_seconds": 3.2e-5 })
    );
    assert_eq!(
        quotes["latency"]["p99"],
        json!({ "above_seconds": 6.4e-5, "up_to_seconds": 1.28e-4 })
    );
    assert_eq!(
        quotes["latency"]["longest"],
        json!({ "above_seconds": 1.28e-4, "up_to_seconds": null })
    );
    let idle = &service["requests"][1];
    assert_eq!((&idle["per_second"], &idle["latency"]), (&json!(0.0), &Value::Null));
    // A new series began at zero.
    assert_eq!(service["requests"][2]["new"], 2);
    assert_eq!(service["worker_ends"]["died"], json!({ "total": 2, "new": 1, "per_second": 0.5 }));
    assert_eq!(service["busy_refusals"]["queue"]["new"], 2);
    assert_eq!(service["policy_refusals"]["new"], 0);
}

#[test]
fn callers_are_in_the_order_of_their_rates_with_all_their_outcomes() {
    let service = service(&view(BEFORE, NOW));
    let callers = service["callers"].as_array().unwrap();
    let figures: Vec<_> = callers
        .iter()
        .map(|caller| [&caller["uid"], &caller["total"], &caller["new"], &caller["failed"]])
        .collect();
    let expected =
        [json!(["0", 311, 291, 0]), json!(["1000", 92, 12, 2]), json!(["65534", 0, 0, 0])];
    assert_eq!(json!(figures), json!(expected));
    assert_eq!(callers[1]["pod"], "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    assert_eq!(callers[2]["pod"], "web\\1\n\u{1b}[31m\"x\"");
}

#[test]
fn the_state_of_the_machine_is_told() {
    let service = service(&view(BEFORE, NOW));
    assert_eq!(service["insecure"], true);
    assert_eq!(service["up_seconds"], 10_000);
    assert_eq!(service["up_since"], "2027-01-15T05:13:20Z");
    assert_eq!(service["ready"], false);
    assert_eq!(service["not_ready_because"], "no canary quote within 3 s");
    assert_eq!(service["tcb_status"], "OutOfDate");
    let expiry =
        json!({ "what": "tcb-info", "at": "2027-01-18T08:00:00Z", "seconds_left": 259_200 });
    assert_eq!(service["next_expiry"], expiry);
    assert_eq!(service["epc_bytes"], json!({ "total": 98_041_856, "in-use": 1_048_576 }));
    assert_eq!(service["hand_overs"]["received"]["total"], 1);
    let gauges = ["connections", "queued_quotes", "workers"].map(|gauge| &service[gauge]);
    assert_eq!(gauges, [12, 5, 2]);
}

#[test]
fn another_process_is_detected_and_has_no_rates() {
    let younger = NOW.replace("seconds 1799990000", "seconds 1799999999");
    let other = NOW.replace("version=\"0.1.0\"", "version=\"0.2.0\"");
    // As after a hand-over between services without the metric of their start.
    let without_start = |text: &str| text.replace("quote_helper_start_timestamp", "no_start");
    let (fewer, more) = (without_start(BEFORE), without_start(NOW));
    for (before, now) in [(BEFORE, &younger), (BEFORE, &other), (&more, &fewer)] {
        let view = view(before, now);
        let service = service(&view);
        assert_eq!(service["restarted"], true);
        assert_eq!(service["seconds"], Value::Null);
        for table in ["requests", "callers"] {
            for row in service[table].as_array().unwrap() {
                assert_eq!(
                    (&row["new"], &row["per_second"]),
                    (&Value::Null, &Value::Null),
                    "{row}"
                );
            }
        }
        assert!(screen(&view, 80, 24).contains("RESTARTED"));
    }
    assert!(!screen(&view(&fewer, &more), 80, 24).contains("RESTARTED"));
}

#[test]
fn a_caller_that_the_service_forgot_in_between_is_no_restart() {
    let of_caller = |text: &str| text.replace("SUCCESS\"} 311", "SUCCESS\"} 7");
    let service = service(&view(BEFORE, &of_caller(NOW)));
    assert_eq!(service["restarted"], false);
    let callers = service["callers"].as_array().unwrap();
    let root = callers.iter().find(|caller| caller["uid"] == "0").unwrap();
    assert_eq!((&root["total"], &root["new"]), (&json!(7), &json!(7)));
}

#[test]
fn figures_that_a_service_does_not_export_are_left_out() {
    let text = "quote_helper_service_info{platform=\"dcap\",version=\"0.1.0\"} 1\n# EOF\n";
    let view = view(text, text);
    let service = service(&view);
    assert_eq!(service["insecure"], false);
    for name in ["connections", "queued_quotes", "up_since", "tcb_status", "next_expiry"] {
        assert_eq!(service[name], Value::Null, "{name}");
    }
    let expected = "\
        NOT READY   platform dcap\n\
        no canary quote within 3 s\n\
        no requests yet\n\
        quote service 0.1.0   metrics of 127.0.0.1:17490   at 2027-01-15T08:00:00Z\n";
    assert_eq!(screen(&view, 80, 6).trim_end(), expected.trim_end());
}

#[test]
fn absurd_values_are_shown_and_do_no_harm() {
    for value in ["NaN", "-1", "+Inf", "1e300"] {
        let text = NOW.lines().map(|line| match line.rsplit_once(' ') {
            Some((series, _)) if !line.starts_with('#') => format!("{series} {value}\n"),
            _ => format!("{line}\n"),
        });
        let text: String = text.collect();
        for (before, now) in [(NOW, &text[..]), (&text, NOW), (&text, &text)] {
            screen(&view(before, now), 80, 24);
        }
    }
}

#[test]
fn a_screen_of_80_by_24() {
    let shown = screen(&view(BEFORE, NOW), 80, 24);
    assert_eq!(shown, include_str!("tests/80x24.txt"), "\n{shown}");
}

#[test]
fn a_screen_of_120_by_40() {
    let shown = screen(&view(BEFORE, NOW), 120, 40);
    assert_eq!(shown, include_str!("tests/120x40.txt"), "\n{shown}");
}

#[test]
fn a_screen_of_40_by_10_has_the_most_important_lines_and_whole_numbers() {
    let shown = screen(&view(BEFORE, NOW), 40, 10);
    assert_eq!(shown, include_str!("tests/40x10.txt"), "\n{shown}");
    let service = view(BEFORE, NOW);
    for columns in 20..120 {
        for word in screen(&service, columns, 40).split_whitespace() {
            // Cut words end with …, and numbers are not cut.
            let is_number = word.starts_with(|first: char| first.is_ascii_digit());
            let is_cut = word.ends_with('…') && word != "0123456789ab…";
            assert!(!is_number || !is_cut, "{columns}: {word}");
        }
    }
}

#[test]
fn any_screen_shows_what_it_has_room_for() {
    let view = view(BEFORE, NOW);
    assert!(screen(&view, 20, 5).starts_with("NOT READY\n"));
    // Each table counts its hidden rows.
    for (lines, hidden) in [(13, "… and 2 more"), (17, "… and 3 more")] {
        let low = screen(&view, 80, lines);
        assert!(low.contains(hidden) && low.contains("GetQuoteEx SUCCESS"), "{low}");
    }
    // Columns are dropped before names are cut, rates last.
    let narrow = screen(&view, 30, 24);
    assert!(narrow.contains("\nGetQuoteEx SUCCESS      150\n"), "{narrow}");
    for columns in 1..90 {
        for lines in [1, 2, 3, 5, 10, 15] {
            screen(&view, columns, lines);
        }
    }
}

#[test]
fn text_has_all_of_it_and_no_colour() {
    let view = view(BEFORE, NOW);
    let text = Screen { view: &view, palette: Palette::plain() }.text(80);
    assert_eq!(text, screen(&view, 80, 24).trim_end());
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn important_figures_stand_out() {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
    let (view, palette) = (view(BEFORE, NOW), Palette::plain());
    (&Screen { view: &view, palette }).render(buffer.area, &mut buffer);
    let is_bold = |cell: &&Cell| cell.modifier.contains(Modifier::BOLD);
    let bold: String = buffer.content().iter().filter(is_bold).map(Cell::symbol).collect();
    let facts = "NOT READYINSECURE software platformOutOfDatetcb-info in 3 d 0 h2 (+2)2 (+1)";
    let request = bold.strip_prefix(facts).unwrap_or_else(|| panic!("{bold}"));
    assert!(request.starts_with("GetQuoteEx BUSY "), "{bold}");
    assert!(!request.contains("SUCCESS"), "{bold}");
}

#[test]
fn a_service_that_does_not_answer_is_told_with_the_reason() {
    let time = OffsetDateTime::UNIX_EPOCH;
    let reason = "no answer from a:1: connection refused".to_owned();
    let view = View::away("a:1".to_owned(), time, reason.clone());
    let shown = screen(&view, 30, 6);
    assert!(shown.contains("NO ANSWER\nno answer from a:1: connection\nrefused\n"), "{shown}");
    let json = json!({ "time": "1970-01-01T00:00:00Z", "metrics": "a:1", "away": reason });
    assert_eq!(serde_json::to_value(&view).unwrap(), json);
}
