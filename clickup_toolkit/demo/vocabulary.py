"""Words: what the people of Harbourlight, a company that makes booking software for ferries, write.

Pure data. Sentences are put together from these in :mod:`clickup_toolkit.demo.populate` and
:mod:`clickup_toolkit.demo.traits`.
"""

from __future__ import annotations

__all__ = [
    "CLIENTS",
    "COMMENTS",
    "ENTRY_TEXTS",
    "FAMILY_NAMES",
    "FOLDERS",
    "GIVEN_NAMES",
    "LISTS",
    "ODD_NAMES",
    "SENTENCES",
    "TAGS",
    "TASK_WORDS",
]

COMPANY = "Harbourlight"
DOMAIN = "harbourlight.example"

GIVEN_NAMES = (
    "Amara", "Jonas", "Sofía", "Priya", "Mateus", "Ingrid", "Yuki", "Dmitri", "Leila", "Oskar", "Chloé",
    "Tariq",
    "Hanna", "Kwame", "Zsófia", "Noah", "Mei", "Luca", "Freya", "Andrés", "Aino", "Rahul", "Beatriz", "Emre",
    "Siobhán", "Piotr", "Nadia", "Tomasz", "Grace", "Øystein", "Valentina", "Hugo", "Fatima", "Jakub", "Elif",
)  # fmt: skip

FAMILY_NAMES = (
    "Okafor", "Weiß", "Hernández", "Raman", "Carvalho", "Lindqvist", "Tanaka", "Volkov", "Haddad", "Nyström",
    "Lefèvre", "Aziz", "Koskinen", "Mensah", "Szabó", "Bennett", "Zhang", "Moretti", "Halvorsen", "Fuentes",
    "Virtanen", "Mehta", "Sousa", "Yılmaz", "O'Brien", "Kowalski", "Petrova", "Nowak", "Adeyemi", "Dahl",
)  # fmt: skip

FAMOUS_PEOPLE = ("李娜", "Дмитрий Волков", "محمد الحربي", "佐藤 健")
"""Names in other scripts, given to a few members."""

FOLDERS: dict[str, tuple[str, ...]] = {
    "engineering": ("Booking Squad", "Deck & Loading", "Mobile Squad", "Payments", "Crew Tools",
    "Core Platform",
                    "Search & Timetables", "Check-in Kiosks"),
    "design": ("Product Design", "Brand", "Research", "Design System"),
    "marketing": ("Campaigns", "Content", "Website", "Partner Marketing", "Events"),
    "support": ("Operators North", "Operators South", "Onboarding", "Help Centre"),
    "operations": ("Hiring", "Finance", "Office & IT", "Legal"),
    "data": ("Warehouse", "Reporting", "Forecasting", "Data Quality"),
}  # fmt: skip

LISTS: dict[str, tuple[str, ...]] = {
    "engineering": ("Backlog", "Bugs", "Sprint", "Roadmap", "Tech debt", "Release", "Incidents",
    "Experiments"),
    "design": ("Requests", "Explorations", "Handoff", "Usability tests", "Illustrations"),
    "marketing": ("Calendar", "Newsletter", "Launches", "Landing pages", "Blog posts", "Trade fairs"),
    "support": ("Tickets", "Escalations", "Feature requests", "Rollouts", "Macros & articles"),
    "operations": ("Open roles", "Contracts", "Invoices", "Equipment", "Policies"),
    "data": ("Pipelines", "Dashboards", "Questions", "Models", "Tracking plan"),
}  # fmt: skip

_PLACES = (
    "the booking flow", "the deck planner", "the boarding pass", "the crew roster", "the timetable importer",
    "the refund screen", "the operator console", "the kiosk app", "the fare calculator", "the seat map",
    "the port map", "the group booking form", "the loyalty page", "the e-mail receipts",
    "the vehicle height check",
    "the payment page", "the sailing search", "the partner API", "the admin console", "the tide table widget",
    "the check-in scanner", "the freight module", "the cancellation wizard", "the waiting list",
    "the price calendar",
)  # fmt: skip

_WHEN = (
    "when a sailing is cancelled", "on Android", "on iOS", "for group bookings", "for freight customers",
    "behind a feature flag", "for operators in Norway", "when the card is declined", "on slow connections",
    "for passengers without an e-mail address", "in dark mode", "for return trips", "across time zones",
    "with more than nine passengers", "for bookings made by phone", "before the summer timetable",
    "in Safari",
    "for the Dover pilot", "when the session expires", "for pets and bicycles", "with screen readers",
)  # fmt: skip

TASK_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "engineering": (
        ("Fix", "Add retries to", "Speed up", "Refactor", "Investigate errors in", "Write tests for",
         "Harden",
         "Remove legacy code from", "Add metrics to", "Migrate", "Support Apple Pay in", "Fix rounding in",
         "Fix a crash in", "Upgrade the dependencies of", "Cache the answers of", "Log less in"),
        _PLACES, _WHEN,
    ),
    "design": (
        ("Redesign", "Sketch", "Prototype", "Review the copy of", "Test with five passengers:", "Icons for",
         "Empty states for", "Accessibility review of", "Handoff of", "Mobile layout for"),
        _PLACES, _WHEN,
    ),
    "marketing": (
        ("Landing page:", "Blog post:", "Newsletter:", "Case study:", "Press release:", "Social posts:",
         "Webinar:",
         "Trade fair booth:", "Video:", "Partner announcement:"),
        ("how ferries fill empty decks", "summer timetables in one evening", "boarding in half the time",
         "what passengers really search for", "paperless freight", "our year on the water", "the new kiosk",
         "refunds without phone calls", "five ports, one console", "winter fares", "the crew app"),
        ("for operators", "for ports", "for the spring campaign", "in German", "in Spanish",
         "with Fjordline as guest",
         "for LinkedIn", "for the Hamburg fair", "(second draft)", "for returning customers"),
    ),
    "support": (
        ("Operator cannot open", "Passenger charged twice in", "Question about", "Slow answers from",
         "Wrong prices in", "Training on", "Access request for", "Export from", "Missing translations in",
         "Data correction in"),
        _PLACES,
        ("— Island Lines", "— Baltic Star", "— Côte Bleue Ferries", "— Sund Express", "— Northern Isles",
         "— Hellas Seaways",
         "(phone)", "(chat)", "after the update", "since this morning", "for two users"),
    ),
    "operations": (
        ("Interview plan for", "Renew the contract with", "Prepare", "Approve", "Order equipment for",
         "Update",
         "Review", "Budget for", "Onboard", "Offboard"),
        ("the QA engineer role", "the office in Bergen", "the cleaning company", "the annual audit",
         "the travel policy",
         "the support lead", "new laptops", "the insurance", "the pension scheme",
         "the works council meeting",
         "the data protection register", "two working students"),
        ("for next quarter", "before the end of the month", "with legal", "with the accountants",
         "for the Lisbon team",
         "after the reorganisation", "in Personio", "for 12 people", "again"),
    ),
    "data": (
        ("Backfill", "Model", "Dashboard for", "Alert on", "Deduplicate", "Document",
         "Move to the warehouse:",
         "Explain the drop in", "Forecast", "Test coverage for"),
        ("no-show rates", "deck occupancy", "refund reasons", "booking events", "search conversions",
         "fuel surcharges",
         "boarding times", "operator revenue", "cancellation notices", "kiosk uptime", "port congestion"),
        ("per sailing", "per operator", "by port", "since 2022", "for the board", "hourly",
         "for the pricing team",
         "with late events", "after the tracking change", "for freight"),
    ),
}  # fmt: skip

ODD_NAMES = (
    "修复预订确认邮件中的乱码", "Исправить расчёт тарифа для групп", "إصلاح بطاقة الصعود على الجوال",
    "予約カレンダーの表示崩れ 📅",
    "🚢 Launch checklist for the Aegean pilot ⚓️", "Fix <b>bold</b> & <script>alert(1)</script> in receipts",
    'Quote handling: "smart" “quotes” and \'single\' ones', "Path C:\\fares\\2024\\*.csv is not imported",
    "  leading and trailing blanks  ", "Émile’s notes: naïve façade, coöperate, Ærø, Łódź, İstanbul",
    "👩‍👩‍👧‍👦 Family fare: count children under 4 only once",
    "=SUM(A1:A9) in the CSV export runs in Excel",
    "Tab\there and a line\nbreak there", "null", "0", "N/A", "'; DROP TABLE sailings; --",
    "Zero​width​spaces in operator names", "Fare 12,50 € ≠ 12.50 € – which one is right?",
    "ｆｕｌｌｗｉｄｔｈ ｄｉｇｉｔｓ １２３",
    "Make the answer to the operator's question about the difference between the published fare, the "
    "fare at the time of booking, the fare after the surcharge and the refundable fare short enough "
    "that somebody on the phone, with a queue of vehicles in front of the ramp and the engine "
    "running, can read it aloud in one breath without having to look anything up, and link to the "
    "long version for everybody else",
)  # fmt: skip

SENTENCES = (
    "Reported by {client}; happens roughly once a day.",
    "See the thread with {client} for the background.",
    "The old behaviour was never written down, so let us agree on it first.",
    "Steps: open the operator console, choose a sailing of next week, amend two passengers, save.",
    "Expected: the total stays the same. Actual: the surcharge is added again.",
    "This blocks the rollout at {client}.",
    "Please keep the API stable, the kiosks update only at night.",
    "Numbers from last month: 4.2 % of the sessions are affected.",
    "Out of scope: freight, pets, anything that prints.",
    "A quick win would be to cache the tariff for ten minutes.",
    "Design is in Figma, the copy still needs a native speaker.",
    "We promised this to {client} before the season starts.",
    "Needs a decision: do we show the price before or after the deck is chosen?",
    "The logs show a timeout after 30 s, then a second attempt succeeds.",
    "Acceptance: a booking with nine passengers and two cars takes less than 3 s.",
    "Rollback plan: switch the flag off, nothing else to do.",
    "Legal asked for a record of who changed the fare, and when.",
    "Tested on an old iPad at the port, works, but the text is tiny.",
)

CLIENTS = (
    "Island Lines",
    "Baltic Star",
    "Côte Bleue Ferries",
    "Sund Express",
    "Northern Isles",
    "Hellas Seaways",
)

COMMENTS = (
    "Pushed a first version, please have a look.", "Waiting for the answer of the payment provider.",
    "Can we talk about this tomorrow?", "Looks good to me 👍",
    "Found the cause: the cache key lacks the currency.",
    "The customer confirmed it works.", "Moved the rest to a follow-up task.",
    "QA found two more cases, see the video.",
    "I do not have access to the staging port, who can help?", "Done, goes out with tonight's release 🚀",
    "Bitte noch die Übersetzung prüfen.", "Let us not do this before the season.",
    "Reproduced on Android 14.",
)  # fmt: skip

ENTRY_TEXTS = (
    "", "", "", "Pairing", "Review", "Debugging with the operator on the phone", "Write-up", "First draft",
    "Fixing the tests", "Call", "Research", "Follow-up", "修正作業", "Abstimmung mit QA", "Deploy & watch 👀",
)  # fmt: skip

LONE_ENTRY_TEXTS = (
    "Stand-up", "Interview", "Support rota", "Planning", "Retro", "1:1", "Travel to the port of Kiel",
    "E-mails",
)  # fmt: skip

TAGS: dict[str, tuple[str, ...]] = {
    "engineering": (
        "bug",
        "regression",
        "security",
        "performance",
        "customer request",
        "quick win",
        "flaky",
        "a11y",
    ),
    "design": ("ux", "copy", "research", "brand"),
    "marketing": ("q1", "q2", "seo", "partner", "launch 🚀"),
    "support": ("vip", "billing", "how-to", "bug", "churn risk"),
    "operations": ("confidential", "urgent", "recurring"),
    "data": ("pii", "dbt", "adhoc", "revenue"),
}
