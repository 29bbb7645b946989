//! Figures, not promises: run with `--ignored --nocapture`, in release.

use std::time::Instant;

use crate::support::{Place, entry};

#[test]
#[ignore = "a measurement: prints figures and checks nothing"]
fn how_long_commits_and_loads_take() {
    const ENTRIES: u32 = 10_000;
    let place = Place::new();
    let mut running = place.start();
    let coverage: Vec<(u32, u8)> = (0..300).map(|index| (index * 3, 1)).collect();
    let begin = Instant::now();
    let mut waiting = 0;
    for number in 0..ENTRIES {
        running.send(entry(&number.to_le_bytes().repeat(50), &coverage));
        waiting += 1;
        if waiting == 512 {
            (0..256).for_each(|_| drop(running.answer()));
            waiting -= 256;
        }
    }
    (0..waiting).for_each(|_| drop(running.answer()));
    println!("{ENTRIES} entries committed and written in {:?}", begin.elapsed());

    let mut times: Vec<_> = (0..100u32)
        .map(|number| {
            let begin = Instant::now();
            running.commit(crate::support::crash(&number.to_le_bytes()));
            begin.elapsed()
        })
        .collect();
    times.sort();
    println!("one crash stored: median {:?}, worst {:?}", times[50], times[99]);
    let begin = Instant::now();
    running.close();
    println!("closed in {:?}", begin.elapsed());
    for _ in 0..3 {
        let begin = Instant::now();
        let loaded = place.load();
        println!("{} entries loaded in {:?}", loaded.inputs().len(), begin.elapsed());
    }
}
