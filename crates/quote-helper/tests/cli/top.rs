//! `top`.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::hostile_text::{HOSTILE, is_harmless};
use crate::support::{Machine, RunResult, eventually};

/// The metrics of a service of another version, with this number of quotes.
fn metrics(quotes: u32) -> String {
    format!(
        "quote_helper_service_info{{platform=\"dcap\",version=\"9.9.9\"}} 1\n\
         quote_helper_request_seconds_count{{operation=\"GetQuoteEx\",outcome=\"SUCCESS\"}} {quotes}\n\
         # EOF\n"
    )
}

/// Serves at a Unix socket: each request for metrics gets the next of these, readiness is 503.
fn serve_answers(machine: &Machine, answers: Vec<String>) -> PathBuf {
    let socket = machine.path("metrics.socket");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        let mut answers = answers.into_iter();
        loop {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                stream.read_line(&mut head).unwrap();
            }
            let (status, body) = match head.starts_with("GET /metrics HTTP/1.1\r\n") {
                true => ("200 OK", answers.next().unwrap()),
                false => ("503 Service Unavailable", "no worker\nis ready\n".to_owned()),
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
            // The client hangs up if the answer is too long.
            let _ = stream.get_mut().write_all((head + &body).as_bytes());
        }
    });
    socket
}

fn top(machine: &Machine, socket: &Path, count: usize) -> RunResult {
    let socket = socket.display();
    machine.run(&format!("top --metrics {socket} --interval 100ms --count {count} --output json"))
}

fn views(ended: &RunResult) -> Vec<Value> {
    ended.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn a_busy_service_is_shown() {
    let machine = Machine::new();
    let serve = machine.serve();
    let line = "load --socket aesm.socket --clients 4 --duration 4s --output json";
    let mut load = machine.command(line).spawn().unwrap();
    eventually("quotes are made", || serve.metrics().contains("GetQuoteEx"));
    let line = format!("top --metrics {} --count 2 --output json", serve.metrics_address());
    let ended = machine.succeed(&line);
    load.kill().unwrap();
    load.wait().unwrap();

    let [first, second] = &views(&ended)[..] else { panic!("{}", ended.stdout) };
    let service = &second["service"];
    assert_eq!((&service["platform"], &service["insecure"]), (&"software".into(), &true.into()));
    assert_eq!(service["version"], env!("CARGO_PKG_VERSION"));
    let quotes = |view: &Value| view["service"]["requests"][0].clone();
    assert_eq!(quotes(first)["per_second"], Value::Null);
    assert_eq!(quotes(second)["operation"], "GetQuoteEx");
    let figure = |view: &Value, name: &str| quotes(view)[name].as_f64().unwrap();
    let (new, seconds) = (figure(second, "new"), service["seconds"].as_f64().unwrap());
    assert!(new > 0.0 && (0.5..3.0).contains(&seconds), "{second}");
    assert_eq!(figure(second, "total"), figure(first, "total") + new);
    assert!((figure(second, "per_second") - new / seconds).abs() < 0.001, "{second}");
    let bound = |rank: &str| quotes(second)["latency"][rank]["up_to_seconds"].as_f64().unwrap();
    let bounds = ["p50", "p99", "longest"].map(bound);
    assert!(bounds.is_sorted() && bounds[0] > 0.0, "{second}");
}

#[test]
fn text_has_figures_with_units() {
    let machine = Machine::new();
    let serve = machine.serve();
    machine.quote("07");
    let mut command = machine.command("top --count 1");
    let ended =
        RunResult::of(command.env("QUOTE_HELPER_METRICS", serve.metrics_address())).with_code(0);
    for text in
        ["quote service ", "INSECURE software platform", "\nREQUEST ", "\nGetQuoteEx SUCCESS "]
    {
        assert!(ended.stdout.contains(text), "{text}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\u{1b}'), "{}", ended.stdout);
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_pipe_gets_one_view_with_rates_and_no_escapes() {
    let machine = Machine::new();
    let serve = machine.serve();
    machine.quote("07");
    for place in
        [format!("http://{}/metrics", serve.metrics_address()), serve.metrics_address().to_owned()]
    {
        let ended = machine.succeed(&format!("top --metrics {place}"));
        assert_eq!(ended.stdout.matches("quote service ").count(), 1, "{}", ended.stdout);
        assert!(
            ended.stdout.contains("\nGetQuoteEx SUCCESS  ") && ended.stdout.contains(" 0.0 "),
            "{}",
            ended.stdout
        );
        assert!(!ended.stdout.contains('\u{1b}') && ended.stderr.is_empty(), "{}", ended.stderr);
        let view = machine.succeed(&format!("top --metrics {place} --output json")).json();
        assert!(view["service"]["seconds"].as_f64().unwrap() > 0.5, "{view}");
    }
    let nobody = machine.run("top --metrics /nobody.socket").with_code(1);
    assert_eq!(nobody.stdout, "");
    nobody.says(&["error: no answer from /nobody.socket"]);
}

#[test]
fn the_default_endpoint_is_the_setting_of_serve() {
    let machine = Machine::new();
    let serve = machine.serve();
    let address = serve.metrics_address();
    machine.write("config.toml", format!("metrics_listen = \"{address}\"\n"));
    let ended = machine.succeed("top --config config.toml --count 1 --output json");
    assert_eq!(ended.json()["metrics"], *address);
    let mut command = machine.command("top --count 1 --output json");
    let ended = RunResult::of(command.env("QUOTE_HELPER_METRICS_LISTEN", address)).with_code(0);
    assert_eq!(ended.json()["metrics"], *address);
}

#[test]
fn no_answer_is_an_error_with_a_fix() {
    let machine = Machine::new();
    let socket = machine.path("nobody.socket");
    let ended = top(&machine, &socket, 2).with_code(1);
    let start = format!("`quote-helper serve --metrics-listen {}`", socket.display());
    ended.says(&["no answer from /", "No such file or directory", &start, "--metrics"]);
    let views = views(&ended);
    assert_eq!(views.len(), 2);
    assert!(views[0]["away"].as_str().unwrap().contains("No such file or directory"));
}

#[test]
fn a_service_that_restarts_or_is_down_is_shown_and_followed() {
    let machine = Machine::new();
    let answers = [metrics(100), metrics(150), metrics(7), "gone".to_owned(), metrics(9)];
    let socket = serve_answers(&machine, answers.to_vec());
    let ended = top(&machine, &socket, 5).with_code(0);
    let views = views(&ended);
    let news: Vec<_> = views.iter().map(|view| &view["service"]["requests"][0]["new"]).collect();
    assert_eq!(news, [&Value::Null, &50.into(), &Value::Null, &Value::Null, &2.into()]);
    let restarts: Vec<_> = views.iter().map(|view| view["service"]["restarted"] == true).collect();
    assert_eq!(restarts, [false, false, true, false, false]);
    assert!(views[3]["away"].as_str().unwrap().contains("no \"# EOF\""), "{}", views[3]);
    assert_eq!(views[0]["service"]["ready"], false);
    assert_eq!(views[0]["service"]["not_ready_because"], "no worker is ready");
}

#[test]
fn other_servers_are_rejected() {
    let too_much = "a 1\n".repeat(5 << 20);
    for (answer, reason) in [
        ("<html>".to_owned(), "is not a metrics endpoint"),
        ("up 1\n# EOF\n".to_owned(), "serves metrics, but not those of a quote service"),
        (too_much, "length limit exceeded"),
    ] {
        let machine = Machine::new();
        let socket = serve_answers(&machine, vec![answer]);
        top(&machine, &socket, 1).with_code(1).says(&[reason]);
    }
}

#[test]
fn a_closed_pipe_ends_it() {
    let machine = Machine::new();
    let serve = machine.serve();
    let line = format!("top --metrics {} --interval 100ms", serve.metrics_address());
    let mut top = machine.command(&line).spawn().unwrap();
    let mut byte = [0];
    top.stdout.take().unwrap().read_exact(&mut byte).unwrap();
    assert!(top.wait().unwrap().success());
}

#[test]
fn invalid_endpoints_are_rejected() {
    let machine = Machine::new();
    for (line, reason) in [
        ("top --metrics 17490", "ADDRESS:PORT, or the path of a Unix socket"),
        ("top --interval 1ms", "the minimum is 100ms"),
        ("top --count 0", "--count"),
        ("top --output yaml", "possible values: text, json"),
    ] {
        machine.run(line).with_code(2).says(&[reason]);
    }
}

/// The metrics of a service with hostile labels, and more lines.
fn hostile_metrics(more: &str) -> String {
    let label = HOSTILE.replace('\n', "\\n");
    let caller = format!("uid=\"0\",pod=\"{label}\",mrenclave=\"m\",debug=\"false\"");
    format!(
        "quote_helper_service_info{{platform=\"{label}\",version=\"{label}\"}} 1\n\
         quote_helper_worker_ends_total{{reason=\"{label}\"}} 1\n\
         quote_helper_caller_quotes_total{{{caller},outcome=\"SUCCESS\"}} 1\n{more}# EOF\n"
    )
}

#[test]
fn labels_control_no_terminal_and_are_exact_in_json() {
    let machine = Machine::new();
    let socket = serve_answers(&machine, vec![hostile_metrics(""), hostile_metrics("")]);
    let line = format!("top --metrics {} --count 1", socket.display());
    is_harmless(&machine.succeed(&line).stdout);
    let view = &views(&top(&machine, &socket, 1))[0];
    assert_eq!(view["service"]["version"], HOSTILE);
    assert_eq!(view["service"]["callers"][0]["pod"], HOSTILE);
}

#[test]
fn thousands_of_labels_are_accepted_and_more_are_rejected() {
    let machine = Machine::new();
    let reasons = |count: usize| -> String {
        let line = |n| {
            format!("quote_helper_request_seconds_count{{operation=\"o{n}\",outcome=\"x\"}} 1\n")
        };
        (0..count).map(line).collect()
    };
    let answers = vec![hostile_metrics(&reasons(15_000)), hostile_metrics(&reasons(30_000))];
    let socket = serve_answers(&machine, answers);
    let line = format!("top --metrics {} --count 1", socket.display());
    let shown = machine.succeed(&line).stdout;
    assert!(shown.lines().count() < 250 && shown.contains("more"), "{shown}");
    machine.run(&line).with_code(1).says(&["more than 20000 samples"]);
}
