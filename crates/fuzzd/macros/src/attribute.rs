//! What stands in the parentheses of `#[fuzzd::test(..)]`.
//!
//! Owns: the keys and their errors. Must not: look at the function.

use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Ident, Path, Result, Token};

/// The keys the attribute knows, as its errors list them.
const KEYS: &str = "`seeds = [..]` and `crate = path`";

/// The parsed keys of one attribute.
#[derive(Default)]
pub(crate) struct Attribute {
    /// The value of `seeds`; `None` means no seeds in code.
    pub(crate) seeds: Option<Expr>,
    /// The value of `crate`; `None` means `::fuzzd`.
    pub(crate) crate_path: Option<Path>,
}

impl Parse for Attribute {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut attribute = Self::default();
        while !input.is_empty() {
            attribute.parse_key(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(attribute)
    }
}

impl Attribute {
    fn parse_key(&mut self, input: ParseStream<'_>) -> Result<()> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error(format!("expected a key: {KEYS} are known")));
        }
        let key = input.call(Ident::parse_any)?;
        let name = key.to_string();
        match name.as_str() {
            "seeds" => {
                refuse_second(&key, self.seeds.is_some())?;
                equals_sign(&key, input, "seeds = [..]")?;
                self.seeds = Some(input.parse()?);
            }
            "crate" => {
                refuse_second(&key, self.crate_path.is_some())?;
                equals_sign(&key, input, "crate = path::to::fuzzd")?;
                self.crate_path = Some(input.call(Path::parse_mod_style)?);
            }
            _ => {
                let text = format!("unknown key `{name}`: {KEYS} are known");
                return Err(Error::new(key.span(), text));
            }
        }
        Ok(())
    }
}

fn refuse_second(key: &Ident, is_set: bool) -> Result<()> {
    if is_set {
        return Err(Error::new(key.span(), format!("`{key}` is given twice")));
    }
    Ok(())
}

fn equals_sign(key: &Ident, input: ParseStream<'_>, form: &str) -> Result<()> {
    if !input.peek(Token![=]) {
        return Err(Error::new(key.span(), format!("`{key}` needs a value: `{form}`")));
    }
    input.parse::<Token![=]>()?;
    Ok(())
}
