"""The cast of the simulated workspace: who works there, what sends events and to where, who asked for which alert."""

from __future__ import annotations

from core.terms import AlertKind, Baseline, Category, Direction, Mode, Role

NAME = "Acme Inc."
OWNER = "ada@acme.example"
"""The member at the keyboard of the demo."""
BUSIEST = "website"
RINGING = "payments-webhooks"
"""The source that falls silent as the demo starts."""
DOWN = "checkout-api"
"""The source that has been silent for most of a day."""
LEAKING = "mixpanel"
"""The destination that fails a little more every day."""

PEOPLE: tuple[tuple[str, str, Role, int], ...] = (
    (OWNER, "Ada Lovelace", Role.OWNER, 35),
    ("grace@acme.example", "Grace Hopper", Role.MEMBER, 34),
    ("alan@acme.example", "Alan Turing", Role.MEMBER, 31),
    ("katherine@acme.example", "Katherine Johnson", Role.MEMBER, 27),
)
"""Email, name, role, days since they joined."""

_STREAMS = Category.EVENT_STREAMS

SOURCES: tuple[tuple[str, str, Category, int, str], ...] = (
    ("Website", "Javascript", _STREAMS, 1900, "day"),
    ("Android app", "Android", _STREAMS, 610, "evening"),
    ("iOS app", "Apple", _STREAMS, 520, "evening"),
    ("Search service", "Go", _STREAMS, 240, "day"),
    ("Orders service", "Java", _STREAMS, 220, "flat"),
    ("Checkout API", "Node.js", _STREAMS, 180, "flat"),
    ("Marketing site", "Javascript", _STREAMS, 160, "day"),
    ("Payments webhooks", "HTTP API", _STREAMS, 150, "flat"),
    ("Recommendations", "Python", _STREAMS, 130, "day"),
    ("TV app", "Roku", _STREAMS, 110, "evening"),
    ("Blog", "Javascript", _STREAMS, 90, "day"),
    ("Delivery tracker", "Kotlin", _STREAMS, 80, "office"),
    ("Newsletter", "HTTP API", _STREAMS, 75, "day"),
    ("Docs", "Javascript", _STREAMS, 70, "office"),
    ("Help centre", "Javascript", _STREAMS, 60, "day"),
    ("Warehouse scanners", ".NET", _STREAMS, 55, "office"),
    ("Partner API", "Ruby", _STREAMS, 45, "office"),
    ("Loyalty programme", "PHP", _STREAMS, 40, "day"),
    ("Support chat", "Node.js", _STREAMS, 30, "office"),
    ("Shop kiosks", "Flutter", _STREAMS, 25, "office"),
    ("Admin console", "React Native", _STREAMS, 18, "office"),
    ("Careers", "Javascript", _STREAMS, 8, "office"),
    ("Staging site", "Javascript", _STREAMS, 4, "office"),
    ("Old iOS app", "iOS", _STREAMS, 0, "flat"),
    ("Salesforce", "Salesforce", Category.CLOUD_APP, 42, "office"),
    ("Stripe", "Stripe", Category.CLOUD_APP, 65, "day"),
    ("Zendesk", "Zendesk", Category.CLOUD_APP, 28, "office"),
    ("Snowflake customers", "Snowflake", Category.REVERSE_ETL, 70, "syncs"),
    ("BigQuery scores", "BigQuery", Category.REVERSE_ETL, 35, "syncs"),
)
"""Name, type, category, events in an average hour, shape of its day. The last event stream is switched off."""

SWITCHED_OFF = frozenset({"old-ios-app", "pardot"})

DESTINATIONS: tuple[tuple[str, str, str, Mode, int, int], ...] = (
    ("Amplitude", "Amplitude", "website", Mode.CLOUD, 12, 30),
    ("Google Analytics 4", "Google Analytics 4", "website", Mode.CLOUD, 8, 0),
    ("Hotjar", "Hotjar", "website", Mode.DEVICE, 0, 0),
    ("Intercom web", "Intercom", "website", Mode.DEVICE, 0, 0),
    ("Facebook Conversions", "Facebook Conversions API", "website", Mode.CLOUD, 45, 420),
    ("Customer.io", "Customer.io", "website", Mode.CLOUD, 20, 650),
    ("Snowplow lake", "AWS S3", "website", Mode.CLOUD, 1, 0),
    ("Mixpanel", "Mixpanel", "android-app", Mode.CLOUD, 40, 15),
    ("Braze Android", "Braze", "android-app", Mode.CLOUD, 25, 300),
    ("AppsFlyer Android", "AppsFlyer", "android-app", Mode.DEVICE, 0, 0),
    ("Firebase", "Firebase", "ios-app", Mode.DEVICE, 0, 0),
    ("Braze iOS", "Braze", "ios-app", Mode.CLOUD, 22, 300),
    ("Mixpanel iOS", "Mixpanel", "ios-app", Mode.CLOUD, 18, 15),
    ("Search metrics", "Datadog", "search-service", Mode.CLOUD, 5, 0),
    ("Orders stream", "Amazon Kinesis", "orders-service", Mode.CLOUD, 2, 0),
    ("Orders webhook", "Webhooks", "orders-service", Mode.CLOUD, 90, 100),
    ("Slack orders", "Slack", "orders-service", Mode.CLOUD, 10, 930),
    ("Checkout webhook", "Webhooks", "checkout-api", Mode.CLOUD, 35, 0),
    ("Fraud scoring", "Sift Science", "checkout-api", Mode.CLOUD, 15, 120),
    ("Google Ads", "Google Ads Conversions", "marketing-site", Mode.CLOUD, 60, 550),
    ("HubSpot", "HubSpot", "marketing-site", Mode.CLOUD, 30, 400),
    ("LinkedIn Insight", "LinkedIn Insight Tag", "marketing-site", Mode.DEVICE, 0, 0),
    ("Ledger", "Google Cloud Function", "payments-webhooks", Mode.CLOUD, 1, 0),
    ("Vero", "Vero", "newsletter", Mode.CLOUD, 28, 200),
    ("Algolia Insights", "Algolia Insights", "recommendations", Mode.CLOUD, 14, 50),
    ("TV ratings", "Nielsen DTVR", "tv-app", Mode.CLOUD, 33, 0),
    ("Parcel events", "Amazon EventBridge", "delivery-tracker", Mode.CLOUD, 4, 0),
    ("Zendesk tickets", "Zendesk", "support-chat", Mode.CLOUD, 50, 100),
    ("Partner postback", "Webhooks", "partner-api", Mode.CLOUD, 150, 0),
    ("Loyalty mail", "Iterable", "loyalty-programme", Mode.CLOUD, 26, 250),
    ("Pardot", "Pardot", "careers", Mode.CLOUD, 100, 0),
)
"""Name, type, source, mode, failures in basis points, filtered per thousand. The last one is switched off."""

HOURS_OF_DAY: dict[str, tuple[int, ...]] = {
    "day": (430, 340, 300, 290, 320, 420, 600, 820, 1010, 1150, 1220, 1260, 1290, 1330, 1390, 1450, 1500, 1530, 1540,
            1500, 1400, 1180, 880, 620),
    "evening": (700, 500, 380, 310, 300, 360, 560, 780, 860, 860, 880, 940, 1020, 1040, 1040, 1080, 1200, 1400, 1620,
                1780, 1820, 1700, 1400, 1020),
    "office": (240, 220, 210, 210, 230, 330, 620, 1180, 1720, 1930, 1960, 1840, 1660, 1740, 1880, 1840, 1620, 1240,
               860, 640, 520, 430, 350, 290),
    "flat": (1000,) * 24,
    "syncs": (4000, 0, 0, 0, 0, 0, 6400, 0, 0, 0, 0, 0, 6400, 0, 0, 0, 0, 0, 6400, 0, 0, 0, 0, 0),
}
"""Each shape's 24 UTC hours, per thousand of the average."""

DAYS_OF_WEEK: dict[str, tuple[int, ...]] = {
    "day": (1020, 1040, 1040, 1030, 1000, 860, 880),
    "evening": (960, 950, 960, 980, 1040, 1120, 1100),
    "office": (1080, 1120, 1110, 1090, 980, 310, 280),
    "flat": (1000,) * 7,
    "syncs": (1000,) * 7,
}
"""Each shape's days from Monday to Sunday, per thousand of the average."""

NOISE = {"day": 60, "evening": 70, "office": 90, "flat": 20, "syncs": 120}
"""How far one hour strays from its shape at most, per thousand."""

EVENTS = ("Page Viewed", "Product Viewed", "Product Added", "Checkout Started", "Order Completed", "Search Performed",
          "Signed Up", "Message Sent")

MAIL, SLACK, WORKFLOW, BELL = "email", "slack", "workflow", "in_app"
_VOLUME, _RATE = AlertKind.SOURCE_VOLUME, AlertKind.DELIVERY_RATE
_DAY, _WEEK = Baseline.DAY_BEFORE, Baseline.WEEK_BEFORE
_BOTH, _DROP, _SPIKE = Direction.BOTH, Direction.DROP, Direction.SPIKE

ALERTS: tuple[
    tuple[str, AlertKind, int, str, tuple[str, ...], Direction, Baseline, int, int, bool, int], ...
] = (
    ("website", _VOLUME, 3500, "ada", (MAIL, SLACK, BELL), _BOTH, _DAY, 0, 24, True, 0),
    ("website", _VOLUME, 2500, "grace", (BELL,), _DROP, _WEEK, 0, 72, True, 0),
    ("checkout-api", _VOLUME, 2000, "ada", (MAIL, SLACK, BELL), _BOTH, _DAY, 0, 24, True, 0),
    ("checkout-api", _VOLUME, 9500, "grace", (WORKFLOW,), _BOTH, _DAY, 0, 24, True, 0),
    ("payments-webhooks", _VOLUME, 600, "ada", (BELL, SLACK), _DROP, _DAY, 100, 24, True, 0),
    ("android-app", _VOLUME, 3000, "alan", (MAIL, BELL), _DROP, _DAY, 500, 24, True, 0),
    ("ios-app", _VOLUME, 4000, "alan", (BELL,), _BOTH, _DAY, 500, 24, True, 0),
    ("search-service", _VOLUME, 5000, "katherine", (SLACK, BELL), _SPIKE, _DAY, 0, 24, True, 30),
    ("orders-service", _VOLUME, 1500, "grace", (MAIL,), _BOTH, _DAY, 0, 24, True, 0),
    ("docs", _VOLUME, 6000, "katherine", (BELL,), _BOTH, _WEEK, 0, 0, True, 0),
    ("careers", _VOLUME, 5000, "alan", (MAIL,), _BOTH, _DAY, 2000, 24, True, 0),
    ("staging-site", _VOLUME, 2000, "grace", (BELL,), _BOTH, _DAY, 0, 24, False, 0),
    ("mixpanel", _RATE, 9700, "ada", (MAIL, BELL), _BOTH, _DAY, 0, 24, True, 0),
    ("amplitude", _RATE, 9900, "ada", (BELL,), _BOTH, _DAY, 0, 24, True, 0),
    ("hubspot", _RATE, 9500, "katherine", (MAIL, SLACK, BELL), _BOTH, _DAY, 0, 24, True, 0),
    ("orders-webhook", _RATE, 9800, "grace", (SLACK,), _BOTH, _DAY, 0, 24, True, 0),
    ("partner-postback", _RATE, 9000, "alan", (BELL,), _BOTH, _DAY, 0, 24, False, 0),
)
"""Connection, kind, threshold in basis points, creator, channels, direction, baseline, least events, hours between
reminders, enabled, hours that it is still muted."""

TWISTS: tuple[tuple[str, int, int, int, int], ...] = (
    ("website", -29 * 24, -28 * 24, 1600, 1600),
    ("website", -5 * 24 - 3, -4 * 24 - 8, 1900, 1500),
    ("android-app", -22 * 24, -21 * 24 - 14, 0, 0),
    ("android-app", -8 * 24 - 2, -7 * 24 - 12, 0, 200),
    ("orders-service", -12 * 24, -12 * 24 + 6, 100, 100),
    ("checkout-api", -17, 4, 0, 0),
    ("payments-webhooks", 0, 9, 0, 0),
    ("search-service", -14, 8, 2600, 2600),
)
"""A source's outages and launches: from and until, in hours from the demo's start, and the share of its usual events,
per thousand, at the one and at the other."""

LEAKS: tuple[tuple[str, int, int, int, int], ...] = (
    ("mixpanel", -6 * 24, 48, 40, 1100),
    ("hubspot", -2 * 24 - 5, -2 * 24 + 1, 6000, 6000),
    ("amplitude", -16 * 24, -16 * 24 + 4, 3000, 3000),
)
"""A destination's troubles: from and until as above, and its failures in basis points at the one and at the other."""
