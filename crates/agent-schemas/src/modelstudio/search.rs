//! How a model searches the web.

use agent_schemas_derive::Record;

use crate::string_enum::closed_enum;

closed_enum! {
    /// How much a search does.
    pub enum SearchStrategy {
        /// A quick search.
        Turbo = "turbo",
        /// The usual search.
        Standard = "standard",
        /// The smallest search.
        Lite = "lite",
        /// A search of more sources.
        Pro = "pro",
        /// A search of still more sources.
        ProMax = "pro_max",
        /// The largest of the `pro` searches.
        ProUltra = "pro_ultra",
        /// A search of everything that there is, for the best answer.
        Max = "max",
        /// A search for pictures.
        Image = "image",
    }
}

/// How a model searches the web and what it says of the sources.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct SearchOptions {
    /// Whether the answer tells its sources.
    #[record(default)]
    pub enable_source: bool,
    /// Whether the text marks what comes from which source; needs `enable_source`.
    #[record(default)]
    pub enable_citation: bool,
    /// Whether the pages that were found are read in full.
    #[record(default)]
    pub enable_readpage: bool,
    /// Whether pages are fetched while the answer is made.
    #[record(default)]
    pub enable_online_read: bool,
    /// The form of a mark; `<number>` in it stands for the source's number.
    #[record(default = "[<number>]".to_owned())]
    pub citation_format: String,
    /// How much a search does.
    #[record(default = SearchStrategy::Turbo)]
    pub search_strategy: SearchStrategy,
    /// Whether to search even where the model would not.
    #[record(default)]
    pub forced_search: bool,
    /// Whether a streamed answer begins with what was found.
    #[record(default)]
    pub prepend_search_result: bool,
    /// Whether to search special sources too, such as those for weather and stocks.
    #[record(default)]
    pub enable_search_extension: bool,
    /// The most that a search may bring back.
    #[record(default = 20_000)]
    pub item_cnt: i64,
    /// How many of the best results are used; 0 for all.
    #[record(default)]
    pub top_n: i64,
    /// How to find out what is to be searched.
    #[record(default = Some(IntentionOptions::default()))]
    pub intention_options: Option<IntentionOptions>,
}

/// How to find out what a user wants.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct IntentionOptions {
    /// The intentions that count; all if empty.
    #[record(default)]
    pub white_list: Vec<String>,
    /// The intentions that do not count.
    #[record(default)]
    pub black_list: Vec<String>,
    /// The model that finds out.
    #[record(default = "search_v6".to_owned())]
    pub search_model: String,
    /// How hard it tries.
    pub intensity: Option<i64>,
    /// The scene in which the user is, by its id with the vendor.
    pub scene_id: Option<String>,
}
