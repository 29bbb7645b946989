//! Counts the edges that inputs reach, in the same way whoever found them.
//!
//! A small runtime for SanitizerCoverage. Paths come on stdin, one a line; for each, one line goes
//! to stdout: `<panic location or -> <edges that no earlier input of this process reached>`. The
//! first line is the number of edges there are. An input that kills the process is thereby the one
//! without a line, and the caller goes on behind it.

use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Start and end of each array of counters, as the modules register them.
static REGIONS: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// Where the last panic was.
static LOCATION: Mutex<Option<String>> = Mutex::new(None);

/// Deep enough for what any engine's own stack let through.
const STACK_BYTES: usize = 1 << 28;

#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, end: *mut u8) {
    let region = (start as usize, end as usize);
    if let Ok(mut regions) = REGIONS.lock()
        && region.0 != region.1
        && !regions.contains(&region)
    {
        regions.push(region);
    }
}

/// What else an instrumented program calls, and nobody listens to here.
macro_rules! ignored {
    ($($name:ident($($type:ty),*))*) => { $(
        #[unsafe(no_mangle)]
        extern "C" fn $name($(_: $type),*) {}
    )* };
}

ignored! {
    __sanitizer_cov_pcs_init(*const usize, *const usize)
    __sanitizer_cov_trace_pc_indir(usize)
    __sanitizer_cov_trace_cmp1(u8, u8)
    __sanitizer_cov_trace_cmp2(u16, u16)
    __sanitizer_cov_trace_cmp4(u32, u32)
    __sanitizer_cov_trace_cmp8(u64, u64)
    __sanitizer_cov_trace_const_cmp1(u8, u8)
    __sanitizer_cov_trace_const_cmp2(u16, u16)
    __sanitizer_cov_trace_const_cmp4(u32, u32)
    __sanitizer_cov_trace_const_cmp8(u64, u64)
    __sanitizer_cov_trace_switch(u64, *const u64)
}

fn counters() -> Vec<&'static mut [u8]> {
    let regions = REGIONS.lock().map(|regions| regions.clone()).unwrap_or_default();
    let arrays = regions.into_iter().map(|(start, end)| {
        // SAFETY: the compiler registered this array; it is static, and only the instrumented code
        // writes to it, by plain increments on this thread, while none of these slices is in use.
        unsafe { std::slice::from_raw_parts_mut(start as *mut u8, end - start) }
    });
    arrays.collect()
}

/// The whole program: counts, or times with `--loop SECONDS`.
pub fn main(run: fn(&[u8])) {
    let work = move || match std::env::args().nth(1).as_deref() {
        Some("--loop") => time(run, std::env::args().nth(2)),
        _ => count(run),
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work);
    if thread.expect("a thread can be started").join().is_err() {
        std::process::exit(1);
    }
}

fn paths() -> impl Iterator<Item = String> {
    std::io::stdin().lock().lines().map_while(Result::ok)
}

fn count(run: fn(&[u8])) {
    std::panic::set_hook(Box::new(|panic| {
        if let (Ok(mut last), Some(place)) = (LOCATION.lock(), panic.location()) {
            let file = place.file().replace(' ', "_");
            *last = Some(format!("{file}:{}", place.line()));
        }
    }));
    let mut arrays = counters();
    let total: usize = arrays.iter().map(|array| array.len()).sum();
    let mut is_known = vec![false; total];
    println!("{total}");
    // What this file itself reaches, it reaches here.
    let own: [fn(&[u8]); 2] = [|_| {}, |_| panic!("on purpose")];
    own.into_iter().for_each(|run| drop(one(run, &[], &mut arrays, &mut is_known)));
    for path in paths() {
        let input = std::fs::read(&path).unwrap_or_default();
        let line = one(run, &input, &mut arrays, &mut is_known);
        if writeln!(std::io::stdout(), "{line}").is_err() {
            return;
        }
    }
}

/// The line about one input.
fn one(run: fn(&[u8]), input: &[u8], arrays: &mut [&mut [u8]], is_known: &mut [bool]) -> String {
    arrays.iter_mut().for_each(|array| array.fill(0));
    let is_caught = catch_unwind(AssertUnwindSafe(|| run(input))).is_err();
    let place = LOCATION.lock().ok().and_then(|mut last| last.take());
    let mut line = place.filter(|_| is_caught).unwrap_or_else(|| "-".to_owned());
    let values = arrays.iter().flat_map(|array| array.iter());
    for (edge, (value, known)) in values.zip(is_known).enumerate() {
        if *value != 0 && !std::mem::replace(known, true) {
            line.push_str(&format!(" {edge}"));
        }
    }
    line
}

/// Nanoseconds of one execution in a bare loop over the inputs, counters neither cleared nor read.
fn time(run: fn(&[u8]), seconds: Option<String>) {
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(1.0);
    let budget = Duration::from_secs_f64(seconds);
    let inputs: Vec<Vec<u8>> = paths().filter_map(|path| std::fs::read(path).ok()).collect();
    let (start, mut executions) = (Instant::now(), 0_u64);
    while !inputs.is_empty() && start.elapsed() < budget {
        for _ in 0..1 + 4096 / inputs.len() {
            inputs.iter().for_each(|input| run(std::hint::black_box(input)));
            executions += inputs.len() as u64;
        }
    }
    println!("{}", start.elapsed().as_secs_f64() * 1e9 / executions.max(1) as f64);
}
