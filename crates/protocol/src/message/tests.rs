use super::*;

fn text(message: &impl Serialize) -> String {
    String::from_utf8(encode_line(message)).unwrap()
}

fn call(line: &str) -> Result<Call, MessageError> {
    decode_call(line.as_bytes())
}

#[test]
fn calls_without_extensions_are_what_go_sends() {
    assert_eq!(
        text(&Call::Ping(PingCall::default())),
        "{\"Ping\":{},\"Fuzz\":null,\"Minimize\":null}\n"
    );
    let fuzz = FuzzCall {
        timeout_ns: 100_000_000,
        limit: 7,
        coverage_data: Some(vec![1, 2, 255]),
        ..FuzzCall::default()
    };
    assert_eq!(
        text(&Call::Fuzz(fuzz)),
        concat!(
            "{\"Ping\":null,\"Fuzz\":{\"Timeout\":100000000,\"Limit\":7,\"Warmup\":false,",
            "\"CoverageData\":\"AQL/\"},\"Minimize\":null}\n"
        )
    );
    assert_eq!(
        text(&Call::Minimize(MinimizeCall { index: 2, ..MinimizeCall::default() })),
        concat!(
            "{\"Ping\":null,\"Fuzz\":null,\"Minimize\":{\"Timeout\":0,\"Limit\":0,",
            "\"KeepCoverage\":null,\"Index\":2}}\n"
        )
    );
}

#[test]
fn replies_without_extensions_are_what_go_sends() {
    assert_eq!(text(&PingReply::default()), "{}\n");
    assert_eq!(
        text(&FuzzReply { count: 3, err: "bad".into(), ..FuzzReply::default() }),
        concat!(
            "{\"TotalDuration\":0,\"InterestingDuration\":0,\"Count\":3,\"CoverageData\":null,",
            "\"Err\":\"bad\",\"InternalErr\":\"\"}\n"
        )
    );
    assert_eq!(
        text(&MinimizeReply { wrote_to_mem: true, ..MinimizeReply::default() }),
        concat!(
            "{\"WroteToMem\":true,\"Err\":\"\",\"CoverageData\":null,",
            "\"Duration\":0,\"Count\":0}\n"
        )
    );
}

#[test]
fn the_fourth_method_is_written_only_for_its_own_calls() {
    let line = text(&Call::Seed(SeedCall { index: 4 }));
    assert_eq!(line, "{\"Ping\":null,\"Fuzz\":null,\"Minimize\":null,\"Seed\":{\"Index\":4}}\n");
    assert_eq!(call(line.trim_end()).unwrap(), Call::Seed(SeedCall { index: 4 }));
}

#[test]
fn several_methods_are_taken_in_the_order_of_dispatch() {
    let all = r#"{"Ping":{},"Seed":{},"Minimize":{},"Fuzz":{}}"#;
    assert!(matches!(call(all).unwrap(), Call::Fuzz(_)));
    assert!(matches!(call(r#"{"Ping":{},"Minimize":{}}"#).unwrap(), Call::Minimize(_)));
    assert!(matches!(call(r#"{"Seed":{},"Ping":{}}"#).unwrap(), Call::Ping(_)));
}

#[test]
fn a_call_without_a_known_method_is_told_from_one_with_a_method_twice() {
    assert!(matches!(call(r#"{"Ping":null}"#), Err(MessageError::NoMethod)));
    assert!(matches!(call(r#"{"Sing":{}}"#), Err(MessageError::NoMethod)));
    assert!(matches!(call("{}"), Err(MessageError::NoMethod)));
    let twice = call(r#"{"Fuzz":{},"Ping":null,"Fuzz":null}"#);
    assert!(matches!(twice, Err(MessageError::DuplicateMethod("Fuzz"))));
}

#[test]
fn arrays_do_not_pass_for_objects() {
    for line in ["[]", "[{},null,null]", r#"{"Ping":[]}"#, r#"{"Fuzz":[1,2,false,null]}"#] {
        assert!(matches!(call(line), Err(MessageError::Json(_))), "{line}");
    }
    assert!(decode_reply::<PingReply>(b"[]").is_err());
    assert!(decode_reply::<FuzzReply>(br#"{"Failure":["panic","","",""]}"#).is_err());
    assert!(decode_reply::<FuzzReply>(br#"{"Ignored":[["a",1]]}"#).is_err());
    for field in [r#""Fork":[1,2]"#, r#""Search":[9,[0],0,1]"#] {
        assert!(call(&format!(r#"{{"Minimize":{{{field}}}}}"#)).is_err(), "{field}");
    }
}

#[test]
fn null_and_missing_fields_have_their_zero_value() {
    let nulls = concat!(
        r#"{"TotalDuration":null,"Count":null,"CoverageData":null,"Err":null,"Failure":null,"#,
        r#""Ignored":null,"OtherCount":null,"Rejected":null}"#
    );
    assert_eq!(decode_reply::<FuzzReply>(nulls.as_bytes()).unwrap(), FuzzReply::default());
    assert_eq!(decode_reply::<FuzzReply>(b"{}").unwrap(), FuzzReply::default());
    assert_eq!(decode_reply::<MinimizeReply>(b"{}").unwrap(), MinimizeReply::default());
}

#[test]
fn an_empty_byte_string_is_not_null() {
    let reply: FuzzReply = decode_reply(br#"{"CoverageData":"","CoverageSparse":""}"#).unwrap();
    assert_eq!(reply.coverage_data, Some(Vec::new()));
    assert_eq!(reply.coverage_sparse, Some(Vec::new()));
    assert!(text(&reply).contains("\"CoverageSparse\":\"\""));
}

#[test]
fn bad_base64_is_an_error_that_says_so() {
    for bad in ["A", "AQI", "AQI!", "AQ=I", "AQL_"] {
        let line = format!("{{\"CoverageData\":\"{bad}\"}}");
        let error = decode_reply::<FuzzReply>(line.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("base64"), "{bad}: {error}");
    }
}

#[test]
fn a_truncated_line_and_trailing_bytes_are_errors() {
    let line = text(&Call::Fuzz(FuzzCall::default()));
    let line = line.trim_end();
    assert!(call(line).is_ok());
    for end in 0..line.len() {
        assert!(call(&line[..end]).is_err(), "{}", &line[..end]);
    }
    assert!(call(&format!("{line}{line}")).is_err());
    assert!(call("\u{feff}{}").is_err());
}

#[test]
fn deep_nesting_in_an_unknown_field_costs_no_stack() {
    let deep = format!("{{\"X\":{}{},\"Err\":\"e\"}}", "[".repeat(200_000), "]".repeat(200_000));
    // Either way is right, as long as nothing overflows.
    let reply = decode_reply::<FuzzReply>(deep.as_bytes());
    assert!(reply.is_err() || reply.is_ok_and(|reply| reply.err == "e"));
}
