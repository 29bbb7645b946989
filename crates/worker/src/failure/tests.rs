use super::*;

fn caught(test: impl FnOnce()) -> Box<Fault> {
    install_hook();
    catch(test).expect_err("the test panics")
}

#[test]
fn a_panic_has_message_location_and_backtrace() {
    begin_call(&[], 1);
    let line = line!() + 1;
    let fault = caught(|| panic!("broken: {}", 7));
    assert_eq!(fault.failure.message, "broken: 7");
    let place = format!("failure/tests.rs:{line}:");
    assert!(fault.failure.location.contains(&place), "{}", fault.failure.location);
    let info = fault.info();
    assert_eq!(info.kind, "panic");
    assert!(info.details.contains("a_panic_has_message"), "{}", info.details);
    assert!(!info.details.contains("core::panicking"), "{}", info.details);
    assert!(fault.summary().starts_with("panic at "));
}

#[test]
fn a_quiet_signature_gets_no_backtrace_and_others_do_up_to_a_limit() {
    let broken = || panic!("again");
    begin_call(&[], 2);
    let signature = caught(broken).signature;
    begin_call(&[signature], 2);
    assert!(caught(broken).backtrace.is_none());
    let other = || panic!("other");
    for expected in [true, true, false] {
        assert_eq!(caught(other).backtrace.is_some(), expected);
    }
}

#[test]
fn a_panic_that_the_fuzz_test_caught_is_not_taken_for_a_later_one() {
    begin_call(&[], 1);
    install_hook();
    let swallowed = catch(|| panic::catch_unwind(|| panic!("inner")).is_err());
    assert!(swallowed.is_ok_and(|caught| caught));
    let resumed = caught(|| panic::resume_unwind(Box::new("carried on")));
    assert_eq!(resumed.failure.message, "carried on");
    assert_eq!(resumed.failure.location, "");
}

#[test]
fn a_payload_that_is_no_text_or_panics_when_dropped_is_survived() {
    struct Hostile;
    impl Drop for Hostile {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    begin_call(&[], 0);
    let fault = caught(|| panic::panic_any(Hostile));
    assert_eq!(fault.failure.message, "a panic whose payload is no text");
}

#[test]
fn an_error_is_known_by_its_text() {
    let (one, two) = (of_error("bad byte 3"), of_error("bad byte 4"));
    assert_eq!(one.signature, two.signature);
    assert_eq!(one.summary(), "error: bad byte 3");
    assert_eq!(of_error("").summary(), "error without a message");
}

#[test]
fn a_panic_carried_on_from_another_thread_keeps_its_place() {
    begin_call(&[], 0);
    let line = line!() + 1;
    let inner = || panic!("in a thread of its own");
    let fault = caught(|| {
        let joined = std::thread::spawn(inner).join();
        panic::resume_unwind(joined.expect_err("the thread panics"));
    });
    assert_eq!(fault.failure.message, "in a thread of its own");
    let place = format!("failure/tests.rs:{line}:");
    assert!(fault.failure.location.contains(&place), "{}", fault.failure.location);
}
