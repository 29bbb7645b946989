#[macro_use]
#[path = "../../bodies/magic.rs"]
mod body;

macro_rules! tests {
    ($($name:ident)*) => { $(
        #[fuzzd::test]
        fn $name(data: &[u8]) {
            body::$name(data);
        }
    )* };
}
for_each_magic!(tests);
