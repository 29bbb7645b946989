//! SQL of no particular database, read and written again.
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let dialect = GenericDialect {};
    let parser = Parser::new(&dialect).with_recursion_limit(20).try_with_sql(text);
    let Ok(statements) = parser.and_then(|mut parser| parser.parse_statements()) else { return };
    for statement in statements {
        std::hint::black_box(statement.to_string());
    }
}
