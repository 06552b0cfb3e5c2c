# Names, no secrets: this file is committed.
project_id = "<{ project }>"
region     = "<{ region }>"
name       = "<{ name }>"
repository = "<{ repository }>"
<% if notify_email %>

notify_email = "<{ notify_email }>"
<% endif %>
