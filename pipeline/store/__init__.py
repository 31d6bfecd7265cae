"""The database: people and post, never events. SQLAlchemy Core over SQLite or PostgreSQL, one code path for both.

Every statement of the project stands here. What comes out are plain values; no row, engine or driver error climbs.
"""
