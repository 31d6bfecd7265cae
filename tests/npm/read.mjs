// Reads calendars and feeds with libraries that did not write them. In: JSON, paths to texts. Out: JSON, paths to facts.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";
import Parser from "rss-parser";
import { parseFeed } from "feedsmith";

const MOST = 3000;

const moment = (time) => (time.isDate ? time.toString() : time.toJSDate().toISOString());

function times(component, others) {
  const event = new ICAL.Event(component, { exceptions: others, strictExceptions: true });
  if (!event.isRecurring()) return [moment(event.startDate)];
  const found = [];
  const iterator = event.iterator();
  for (let next = iterator.next(); next && found.length < MOST; next = iterator.next()) {
    found.push(moment(event.getOccurrenceDetails(next).startDate));
  }
  return found.sort();
}

function calendar(text) {
  const root = new ICAL.Component(ICAL.parse(text));
  ICAL.TimezoneService.reset();
  for (const zone of root.getAllSubcomponents("vtimezone")) {
    ICAL.TimezoneService.register(new ICAL.Timezone(zone));
  }
  const events = root.getAllSubcomponents("vevent");
  const others = events.filter((event) => event.hasProperty("recurrence-id"));
  return {
    name: root.getFirstPropertyValue("name"),
    method: root.getFirstPropertyValue("method"),
    events: events
      .filter((event) => !event.hasProperty("recurrence-id"))
      .map((event) => ({
        uid: event.getFirstPropertyValue("uid"),
        summary: event.getFirstPropertyValue("summary"),
        language: event.getFirstProperty("summary").getParameter("language"),
        description: event.getFirstPropertyValue("description"),
        location: event.getFirstPropertyValue("location"),
        sequence: event.getFirstPropertyValue("sequence"),
        status: event.getFirstPropertyValue("status"),
        url: event.getFirstPropertyValue("url"),
        geo: event.getFirstPropertyValue("geo"),
        categories: event.getAllProperties("categories").flatMap((property) => property.getValues()),
        organizer: event.getFirstPropertyValue("organizer"),
        organizerName: event.getFirstProperty("organizer")?.getParameter("cn") ?? null,
        conference: event.getFirstPropertyValue("conference"),
        label: event.getFirstProperty("conference")?.getParameter("label") ?? null,
        image: event.getFirstPropertyValue("image"),
        attached: event.getAllProperties("attach").map((property) => property.getFirstValue()),
        stamp: moment(event.getFirstPropertyValue("dtstamp")),
        end: event.hasProperty("dtend") ? moment(event.getFirstPropertyValue("dtend")) : null,
        times: times(event, others.filter((o) => o.getFirstPropertyValue("uid") === event.getFirstPropertyValue("uid"))),
      })),
  };
}

const instant = (text) => (text ? new Date(text).toISOString() : null);
const plain = (text) => (text && typeof text === "object" ? text.value : text);

function byFeedsmith(text) {
  const { format, feed } = parseFeed(text);
  const entries = feed.entries ?? feed.items ?? [];
  const alternate = (links) => links?.find((link) => link.rel === "alternate")?.href;
  return {
    format,
    title: plain(feed.title),
    entries: entries.map((entry) => ({
      id: plain(entry.id) ?? entry.guid?.value,
      title: plain(entry.title),
      link: entry.url ?? entry.link ?? alternate(entry.links),
      published: instant(entry.published ?? entry.pubDate ?? entry.date_published),
    })),
  };
}

async function byRssParser(text) {
  const feed = await new Parser().parseString(text);
  return {
    title: feed.title,
    entries: feed.items.map((item) => ({
      id: item.id ?? item.guid,
      title: item.title,
      link: item.link,
      published: item.isoDate,
    })),
  };
}

const facts = {};
for (const [path, text] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  if (path.endsWith(".ics")) facts[path] = calendar(text);
  else if (path.endsWith(".json")) facts[path] = { feedsmith: byFeedsmith(text) };
  else facts[path] = { feedsmith: byFeedsmith(text), rssParser: await byRssParser(text) };
}
process.stdout.write(JSON.stringify(facts));
