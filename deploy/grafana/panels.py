"""How each kind of panel of our dashboards looks. Builds values for build.py and knows no dashboard."""

from typing import Any

Json = dict[str, Any]
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
F = 'codebook=~"$codebook",frame=~"$frame"'
S = 'source=~"$source"'
TO_CONSOLE = {
    "title": "Open in the console",
    "url": "${console}/frames/${__field.labels.codebook}/${__field.labels.frame}",
    "targetBlank": True,
}
TO_FRAME = {
    "title": "This frame alone",
    "url": "/d/framewatch-frame?var-codebook=${__field.labels.codebook}&var-frame=${__field.labels.frame}&${__url_time_range}",
    "targetBlank": False,
}
UNKNOWN = {
    "type": "special",
    "options": {"match": "nan", "result": {"text": "unknown", "color": "orange", "index": 0}},
}
CONDITIONS = {
    "too little heard": "orange", "learning": "blue", "calm": "green", "burst": "semi-dark-red", "on alert": "red",
}  # fmt: skip
"""What people are told of a frame, and in which colour; a test holds the words to the exporter's."""
GOOD, WARN, BAD, PLAIN = "green", "orange", "red", "text"


def steps(*pairs: tuple[float | None, str]) -> Json:
    """Thresholds: from which value on which colour."""
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in pairs]}


NONE_IS_GOOD = steps((None, GOOD), (1, BAD))
WHOLE_IS_GOOD = steps((None, BAD), (0.8, WARN), (0.99, GOOD))


def target(expr: str, legend: str = "", *, instant: bool = False, table: bool = False) -> Json:
    """One PromQL query."""
    about = {"datasource": SOURCE, "editorMode": "code", "expr": expr, "legendFormat": legend}
    more = {"format": "table"} if table else {}
    return {**about, "range": not instant, "instant": instant, **more}


def panel(kind: str, title: str, about: str, targets: list[Json], **more: Any) -> Json:
    """A panel without a place yet; `more` may hold unit, thresholds, links, options, overrides, custom, low, high."""
    defaults: Json = {"unit": more.get("unit", "short"), "mappings": [*more.get("mappings", []), UNKNOWN]}
    defaults |= {"thresholds": more["thresholds"]} if "thresholds" in more else {}
    defaults |= {"color": more["color"]} if "color" in more else {}
    defaults |= {"links": more["links"]} if "links" in more else {}
    defaults |= {"custom": more["custom"]} if "custom" in more else {}
    defaults |= {
        key: more[name] for key, name in (("min", "low"), ("max", "high"), ("decimals", "decimals")) if name in more
    }
    built = {"type": kind, "title": title, "description": about, "datasource": SOURCE}
    built |= {"fieldConfig": {"defaults": defaults, "overrides": more.get("overrides", [])}}
    built |= {"options": more.get("options", {})}
    built |= {"targets": [{"refId": "ABCDEFGH"[i], **one} for i, one in enumerate(targets)]}
    return built | ({"transformations": more["transformations"]} if "transformations" in more else {})


def stat(title: str, about: str, expr: str, thresholds: Json | None = None, **more: Any) -> Json:
    """One number as it is now."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value", "graphMode": more.pop("graph", "none"), "textMode": more.pop("text", "auto"),
    }  # fmt: skip
    limits = thresholds or steps((None, PLAIN))
    query = target(expr, more.pop("legend", ""), instant=options["graphMode"] == "none")
    colour = {"mode": "thresholds"}
    return panel("stat", title, about, [query], thresholds=limits, color=colour, options=options, **more)


def lines(title: str, about: str, *queries: tuple[str, str], **more: Any) -> Json:
    """Series over time; a gap in one is drawn as a gap."""
    stack = "normal" if more.pop("stacked", False) else "none"
    custom: Json = {
        "drawStyle": "line", "lineWidth": 1, "fillOpacity": 25 if stack == "normal" else 0, "showPoints": "auto",
        "spanNulls": False, "stacking": {"mode": stack, "group": "A"},
    }  # fmt: skip
    if "thresholds" in more:
        custom["thresholdsStyle"] = {"mode": "dashed"}
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel("timeseries", title, about, [target(*q) for q in queries], custom=custom, options=options, **more)


def dashed(name: str, regex: str = "") -> Json:
    """An override: this series as a dashed line."""
    matcher = {"id": "byRegexp", "options": regex} if regex else {"id": "byName", "options": name}
    look = {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [6, 4]}}
    return {"matcher": matcher, "properties": [look]}


def bars(title: str, about: str, expr: str, legend: str, **more: Any) -> Json:
    """One bar a series, as it is now."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "displayMode": "basic",
        "orientation": "horizontal", "showUnfilled": True,
    }  # fmt: skip
    return panel("bargauge", title, about, [target(expr, legend, instant=True)], options=options, **more)


def states(title: str, about: str, expr: str, legend: str, **more: Any) -> Json:
    """Conditions over time, a row a series, as numbered by condition_of."""
    options = {
        "showValue": "never", "mergeValues": True, "rowHeight": 0.8, "alignValue": "left",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single", "sort": "none"},
    }  # fmt: skip
    mappings = [{"type": "value", "options": {
        str(i): {"text": word, "color": colour, "index": i} for i, (word, colour) in enumerate(CONDITIONS.items(), 1)
    }}]  # fmt: skip
    return panel(
        "state-timeline", title, about, [target(expr, legend)], options=options, mappings=mappings,
        color={"mode": "thresholds"}, thresholds=steps((None, PLAIN)), **more,
    )  # fmt: skip


def condition_of(where: str) -> str:
    """What people are told of a frame, as a number: its place among the conditions, from 1."""
    parts = (
        f'{i} * max by (codebook, frame) (framewatch_frame_condition{{{where},condition="{word}"}} == 1)'
        for i, word in enumerate(CONDITIONS, 1)
    )
    return " or ".join(parts)


def table(title: str, about: str, columns: list[tuple[str, str, str]], **more: Any) -> Json:
    """A row a frame: (column, PromQL, unit)."""
    named = {f"Value #{'ABCDEFGH'[i]}": name for i, (name, _, _) in enumerate(columns)}
    transformations = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": {**named, "frame": "Frame", "codebook": "Codebook"},
                                       "indexByName": {"frame": 0, "codebook": 1}}},
    ]  # fmt: skip
    overrides = [
        {"matcher": {"id": "byName", "options": name}, "properties": [{"id": "unit", "value": unit}]}
        for name, _, unit in columns
    ]
    row = "/${__data.fields.Codebook}/${__data.fields.Frame}"
    links = [{"title": "Open in the console", "url": "${console}/frames" + row, "targetBlank": True}]
    overrides.append({"matcher": {"id": "byName", "options": "Frame"}, "properties": [{"id": "links", "value": links}]})
    options = {"showHeader": True, "sortBy": [{"displayName": columns[0][0], "desc": True}]}
    queries = [target(expr, instant=True, table=True) for _, expr, _ in columns]
    return panel(
        "table", title, about, queries, options=options, overrides=overrides, transformations=transformations, **more
    )


def row(title: str) -> Json:
    """A heading."""
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


def placed(rows: list[list[tuple[int, int, Json]]]) -> list[Json]:
    """Panels with their places: each row is a list of (width, height, panel)."""
    out, y = [], 0
    for line in rows:
        x = 0
        for width, height, one in line:
            out.append({"id": len(out) + 1, **one, "gridPos": {"h": height, "w": width, "x": x, "y": y}})
            x += width
        y += max(height for _, height, _ in line)
    return out


def variable(name: str, label: str, query: str, *, multi: bool = True) -> Json:
    """A template variable that the labels fill."""
    everything = {
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }
    one = {"includeAll": False, "current": {"text": "", "value": ""}}
    return {
        "name": name, "label": label, "type": "query", "datasource": SOURCE, "refresh": 2, "sort": 1, "multi": multi,
        "query": {"query": query, "refId": "A", "qryType": 1}, "options": [], **(everything if multi else one),
    }  # fmt: skip


def dashboard(uid: str, title: str, about: str, variables: list[Json], rows: list[list[tuple[int, int, Json]]]) -> Json:
    """A whole dashboard."""
    source = {
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1,
        "multi": False, "includeAll": False, "options": [],
        "current": {"selected": True, "text": "Prometheus", "value": "framewatch-prometheus"},
    }  # fmt: skip
    console = {
        "name": "console", "label": "Console", "type": "textbox", "query": "http://127.0.0.1:8787", "options": [],
        "description": "Where readers reach framewatch's own pages.",
        "current": {"selected": True, "text": "http://127.0.0.1:8787", "value": "http://127.0.0.1:8787"},
    }  # fmt: skip
    others = {"title": "framewatch", "type": "dashboards", "tags": ["framewatch"], "asDropdown": False, "icon": "external link",
              "includeVars": False, "keepTime": True, "targetBlank": False, "tooltip": "", "url": ""}  # fmt: skip
    alerts = {
        "name": "Alerts", "datasource": SOURCE, "enable": True, "iconColor": "red", "hide": False,
        "expr": 'ALERTS{alertname=~"Frame.*",alertstate="firing"}', "titleFormat": "{{alertname}}", "textFormat": "{{frame}}{{stage}}{{source}}",
        "step": "60s", "useValueForTime": False,
    }  # fmt: skip
    return {
        "uid": uid, "title": title, "description": about, "tags": ["framewatch"], "schemaVersion": 42, "version": 1,
        "editable": False, "graphTooltip": 1, "timezone": "browser", "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"}, "timepicker": {}, "annotations": {"list": [alerts]}, "links": [others],
        "templating": {"list": [source, console, *variables]}, "panels": placed(rows),
    }  # fmt: skip
