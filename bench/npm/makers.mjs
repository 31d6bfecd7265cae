// Makes a calendar with ical-generator or feeds with feed, from facts on standard input; prints the CPU it took and the size.
import { readFileSync } from "node:fs";
import { Feed } from "feed";
import ical from "ical-generator";

function calendar({ name, events }) {
  const made = ical({ name, prodId: "-//bench//bench//EN" });
  for (const event of events) {
    made.createEvent({
      id: event.uid,
      start: new Date(event.start),
      end: new Date(event.end),
      allDay: event.allDay,
      stamp: new Date(event.stamp),
      created: new Date(event.stamp),
      lastModified: new Date(event.stamp),
      sequence: event.sequence,
      summary: event.summary,
      description: event.description,
      location: event.location,
      url: event.url,
    });
  }
  return made.toString();
}

function feeds({ title, address, items }) {
  const feed = new Feed({ id: address, link: address, title, updated: new Date(items[0].date_published) });
  for (const item of items) {
    feed.addItem({
      id: item.id,
      link: item.url,
      title: item.title,
      content: item.content_html,
      description: item.summary,
      date: new Date(item.date_published),
      published: new Date(item.date_published),
    });
  }
  return feed.atom1() + feed.rss2() + feed.json1();
}

const facts = JSON.parse(readFileSync(0, "utf8"));
const make = { calendar, feeds }[process.argv[2]];
const before = process.cpuUsage();
const text = make(facts);
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ seconds: (user + system) / 1e6, size: text.length }));
