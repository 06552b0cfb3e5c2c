#!/bin/sh
exec serve --port <{ port }>
