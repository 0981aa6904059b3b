/// CBOR of a type that is text of a certain form, with `new` and `as_str`: a text string, checked as it is read.
macro_rules! travels_as_text {
    ($name:ident) => {
        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(self.as_str())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(
                d: &mut minicbor::Decoder<'b>,
                _: &mut C,
            ) -> Result<Self, minicbor::decode::Error> {
                let position = d.position();
                Self::new(d.str()?)
                    .map_err(|error| minicbor::decode::Error::message(error).at(position))
            }
        }
    };
}

pub(crate) use travels_as_text;
